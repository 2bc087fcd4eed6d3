"""Made-up knocks and tunes: what every draw keeps to, whatever its kind."""

from types import ModuleType

from hypothesis import given, settings, strategies as st
import numpy as np
import pytest

from echonet_models.recordings import SAMPLE_RATE, Samples
from echonet_models.synthetic import knocks, tunes
from echonet_models.synthetic.knocks import LONGEST_S, SHORTEST_S, finish, knock
from echonet_models.synthetic.sounds import Maker
from echonet_models.synthetic.tunes import tune

from .sounds import check_seeds_differ, check_sound

FRAME = SAMPLE_RATE // 20


def levels(sound: Samples) -> Samples:
    """Return the root mean square of every frame of 50 ms."""
    frames = sound[: len(sound) // FRAME * FRAME].reshape(-1, FRAME)
    level: Samples = np.sqrt(np.square(frames).mean(axis=1))
    return level


def flatness(sound: Samples) -> float:
    """Return how flat the spectrum of the loudest frame is between 50 and 4000 Hz: 1 of noise, 0 of tones."""
    start = int(levels(sound).argmax()) * FRAME
    frame = sound[start : start + FRAME]
    power = np.square(np.abs(np.fft.rfft(frame * np.hanning(len(frame)))))
    frequency = np.fft.rfftfreq(len(frame), 1 / SAMPLE_RATE)
    heard = power[(frequency > 50) & (frequency < 4000)] + 1e-12
    return float(np.exp(np.log(heard).mean()) / heard.mean())


@pytest.mark.parametrize("make", [knock, tune])
@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_a_sound_keeps_to_its_bounds(make: Maker, seed: int) -> None:
    check_sound(make, seed, SHORTEST_S, LONGEST_S)


@pytest.mark.parametrize("make", [knock, tune])
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**32 - 2))
def test_the_next_seed_makes_another_sound(make: Maker, seed: int) -> None:
    check_seeds_differ(make, seed)


@pytest.mark.parametrize(("module", "make"), [(knocks, knock), (tunes, tune)])
def test_every_kind_is_drawn(module: ModuleType, make: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = set()

    def record(name: str) -> Maker:
        def stub(generator: np.random.Generator) -> Samples:
            drawn.add(name)
            return np.ones(100, np.float32)

        return stub

    monkeypatch.setattr(module, "KINDS", {name: record(name) for name in module.KINDS})
    generator = np.random.default_rng(1)
    for _ in range(400):
        make(generator)
    assert drawn == set(module.KINDS)


@pytest.mark.parametrize(
    ("module", "name"), [(module, name) for module in (knocks, tunes) for name in module.KINDS]
)
def test_every_kind_sounds_and_varies(module: ModuleType, name: str) -> None:
    sounds = [finish(module.KINDS[name](np.random.default_rng(seed))) for seed in range(6)]
    assert all(np.isfinite(sound).all() and np.abs(sound).max() > 0.99 for sound in sounds)
    assert len({(len(sound), float(np.abs(sound).mean())) for sound in sounds}) == 6


@pytest.mark.parametrize("name", knocks.KINDS)
def test_a_knock_has_its_energy_in_bursts(name: str) -> None:
    for seed in range(6):
        sound = finish(knocks.KINDS[name](np.random.default_rng(seed)))
        assert np.abs(sound).max() / np.sqrt(np.square(sound).mean()) > 3
        assert levels(sound).max() > 1.5 * np.median(levels(sound))


@pytest.mark.parametrize("name", sorted(set(tunes.KINDS) - {"fan", "vacuum cleaner", "hinge"}))
def test_a_tune_is_tonal(name: str) -> None:
    flat = [flatness(finish(tunes.KINDS[name](np.random.default_rng(seed)))) for seed in range(8)]
    assert np.median(flat) < 0.15


@pytest.mark.parametrize("name", ["hum", "motor", "fan", "vacuum cleaner"])
def test_a_machine_is_steady(name: str) -> None:
    for seed in range(6):
        running = levels(finish(tunes.KINDS[name](np.random.default_rng(seed))))[-20:-2]
        assert running.max() < 2 * running.min()


def test_beeps_are_neither_a_smoke_nor_a_co_alarm() -> None:
    for seed in range(200):
        sound = tunes.KINDS["beeps"](np.random.default_rng(seed))
        on = np.convolve(np.abs(sound) > 0.01, np.ones(400), "same") > 0
        edges = np.flatnonzero(np.diff(np.pad(on.astype(int), 1)))
        lengths = (edges[1::2] - edges[::2]) / SAMPLE_RATE
        assert not (len(lengths) in {3, 4} and 0.4 < lengths.mean() < 0.6)
