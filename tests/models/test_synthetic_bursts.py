"""Made-up gunshots and breaking glass: what every draw keeps to, and what a teacher hears in them."""

from pathlib import Path

from hypothesis import given, settings, strategies as st
import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="TensorFlow is in .venv-models only: scripts/setup models")

from echonet_models.datasets import CLASSES
from echonet_models.recordings import SAMPLE_RATE, Samples
from echonet_models.synthetic.bursts import LONGEST_S, SHORTEST_S, glass_break, gunshot
from echonet_models.synthetic.sounds import Maker
from echonet_models.teachers import DENSE_HOP, Yamnet, read_class_map
from echonet_satellite.protocol import SoundClass

from .sounds import check_seeds_differ, check_sound

MAKERS: dict[SoundClass, Maker] = {SoundClass.GUNSHOT: gunshot, SoundClass.GLASS_BREAK: glass_break}
HEARD = 0.5


@pytest.mark.parametrize("make", MAKERS.values())
@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_a_sound_keeps_to_its_bounds_and_starts_at_once(make: Maker, seed: int) -> None:
    check_sound(make, seed, SHORTEST_S, LONGEST_S)
    sound = make(np.random.default_rng(seed))
    assert np.abs(sound[: int(0.05 * SAMPLE_RATE)]).max() > 0.02


@pytest.mark.parametrize("make", MAKERS.values())
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 2))
def test_the_next_seed_makes_another_sound(make: Maker, seed: int) -> None:
    check_seeds_differ(make, seed)


def treble_share(sound: Samples) -> float:
    """Return the share of energy above 1 kHz, from 50 ms behind the loudest moment on."""
    rest = sound[int(np.abs(sound).argmax()) + SAMPLE_RATE // 20 :]
    power = np.square(np.abs(np.fft.rfft(rest)))
    return float(power[np.fft.rfftfreq(len(rest), 1 / SAMPLE_RATE) > 1000].sum() / power.sum())


def test_glass_rings_where_a_gunshot_rumbles() -> None:
    shares = {
        name: np.median([treble_share(make(np.random.default_rng(seed))) for seed in range(40)])
        for name, make in MAKERS.items()
    }
    assert shares[SoundClass.GLASS_BREAK] > 0.9
    assert shares[SoundClass.GUNSHOT] < 0.7


def test_sounds_differ_as_recordings_do() -> None:
    for make in MAKERS.values():
        lengths = [len(make(np.random.default_rng(seed))) / SAMPLE_RATE for seed in range(40)]
        assert np.quantile(lengths, 0.9) > 2 * np.quantile(lengths, 0.1)


@pytest.mark.parametrize("name", MAKERS)
def test_the_teacher_hears_the_class_and_seldom_the_other(name: SoundClass, teachers: Path) -> None:
    network, classes = Yamnet(teachers), read_class_map(teachers)
    heard = []
    for seed in range(24):
        padded = np.pad(MAKERS[name](np.random.default_rng(seed)), (SAMPLE_RATE // 4, SAMPLE_RATE))
        core, _ = classes.scores(network.scores(padded, DENSE_HOP))
        heard.append(core.max(axis=0) >= HEARD)
    own, other = (
        sum(row[CLASSES.index(each)] for row in heard)
        for each in (name, *(each for each in MAKERS if each is not name))
    )
    assert own >= 24 / 3
    assert other < 24 / 2
