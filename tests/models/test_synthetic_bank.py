"""Made-up sounds are learned from where a teacher takes them for what they are meant to be; only in training."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

from hypothesis import given, settings, strategies as st
import numpy as np
import pytest

from echonet_models.activity import IGNORE, STEP
from echonet_models.bank import Bank, Kept
from echonet_models.datasets import CLASSES, OTHER, Clip, Split
from echonet_models.events import Events
from echonet_models.knowledge import Knowledge
from echonet_models.material import Material
from echonet_models.recipe import Recipe
from echonet_models.recordings import SAMPLE_RATE, Recordings
from echonet_models.synthetic.makers import MAKERS, OTHERS, judge, open_made_up
from echonet_models.synthetic.sirens import alarm
from echonet_models.teachers import TEACHER_CLASSES, Yamnet, read_class_map
from echonet_satellite.protocol import SoundClass

GUNSHOT = CLASSES.index(SoundClass.GUNSHOT)
MADE_UP = "synthetic/gunshot/0000"


@pytest.fixture
def bank() -> Bank:
    """One gunshot of half a second, of a pitch that no recording has."""
    samples = np.sin(np.arange(SAMPLE_RATE // 2) * 2.5) * 30000
    labels = np.zeros((-(-len(samples) // STEP), len(CLASSES)), np.int8)
    labels[:, GUNSHOT] = 1
    recordings = Recordings(samples.astype(np.int16), {MADE_UP: (0, len(samples))})
    knowledge = Knowledge({MADE_UP: np.zeros((9, TEACHER_CLASSES), np.uint8)})
    return Bank({SoundClass.GUNSHOT: [Kept(recordings, MADE_UP, labels)]}, knowledge)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_an_alarm_is_sound_and_its_seed_s(seed: int) -> None:
    samples = alarm(np.random.default_rng(seed))
    assert samples.dtype == np.float32
    assert 3 * SAMPLE_RATE - 1 <= len(samples) <= 8 * SAMPLE_RATE
    assert np.abs(samples).max() == pytest.approx(1, abs=1e-3)
    np.testing.assert_array_equal(samples, alarm(np.random.default_rng(seed)))


def test_yamnet_takes_most_made_up_alarms_for_alarms(teachers: Path) -> None:
    network, class_map = Yamnet(teachers), read_class_map(teachers)
    column = CLASSES.index(SoundClass.ALARM)
    heard = [
        class_map.scores(network.scores(alarm(np.random.default_rng(seed))))[0][:, column].max()
        for seed in range(24)
    ]
    assert np.mean(np.array(heard) >= 0.5) >= 0.5


def test_what_is_made_up_is_judged_and_made_once(teachers: Path, tmp_path: Path) -> None:
    bank = open_made_up(teachers, tmp_path, each=4)
    counts = {key: bank.count(key) for key in [*MAKERS, OTHER]}
    # What is not taken for what it was meant to be is of no class; nothing is thrown away.
    assert sum(counts.values()) == 4 * (len(MAKERS) + len(OTHERS))
    assert counts[OTHER] >= 4 * len(OTHERS)
    assert sum(counts[name] for name in MAKERS) > 0
    for name in MAKERS:
        sound = bank.draw(name, np.random.default_rng(0))
        if sound is not None:
            assert (sound.labels[:, CLASSES.index(SoundClass(name))] == 1).any()
            assert bank.knowledge.at(sound.path, np.zeros(1)).max() > 0
    assert bank.draw(SoundClass.DOG, np.random.default_rng(0)) is None
    folders = sorted(tmp_path.glob("synthetic-*"))
    before = [(folder / "recordings.int16").stat().st_mtime_ns for folder in folders]
    again = open_made_up(teachers, tmp_path, each=4)
    assert [(folder / "recordings.int16").stat().st_mtime_ns for folder in folders] == before
    assert {key: again.count(key) for key in counts} == counts


@pytest.mark.parametrize(
    ("core", "perhaps", "label", "own"),
    [
        (0.6, 0.6, "gunshot", 1),
        (0.0, 0.6, OTHER, IGNORE),
        (0.3, 0.3, OTHER, IGNORE),
        (0.0, 0.1, OTHER, IGNORE),
    ],
)
def test_the_teacher_says_what_a_made_up_shot_is(core: float, perhaps: float, label: str, own: int) -> None:
    samples = np.random.default_rng(0).normal(0, 0.3, SAMPLE_RATE).astype(np.float32)
    taught = np.zeros((1, 2, len(CLASSES)), np.float32)
    taught[:, 0, GUNSHOT], taught[:, 1, GUNSHOT] = core, perhaps
    clip = Clip(path=MADE_UP, label="gunshot", origin=MADE_UP)
    found, labels = judge(clip, samples, taught)
    assert found == label
    assert set(labels[:, GUNSHOT].tolist()) == {own}
    assert not np.delete(labels, GUNSHOT, axis=1).any()


def test_made_up_events_come_as_often_as_the_recipe_says(small_material: Material, bank: Bank) -> None:
    material = replace(small_material, recipe=Recipe(synthetic_shares={SoundClass.GUNSHOT: 0.5}))
    clips = material.of(Split.TRAIN)
    events = Events(clips, material.recordings, material.label, [], material.recipe, bank)
    generator = np.random.default_rng(0)
    drawn = Counter(events.draw_class(SoundClass.GUNSHOT, generator).path for _ in range(300))
    assert 110 <= drawn[MADE_UP] <= 190
    assert all(events.draw_class(SoundClass.DOG, generator).path != MADE_UP for _ in range(30))


def test_only_training_hears_what_is_made_up(small_material: Material, bank: Bank) -> None:
    only = {name: float(name is SoundClass.GUNSHOT) for name in CLASSES}
    recipe = Recipe(other_share=0, class_shares=only, synthetic_shares=dict.fromkeys(CLASSES, 1.0))
    material = replace(small_material, recipe=recipe, bank=lambda: bank)

    def treble(split: Split) -> float:
        maker = material.maker(split, taught=True)
        mixtures = [maker.mix(np.random.default_rng(seed)).samples for seed in range(12)]
        spectrum = np.mean([np.abs(np.fft.rfft(samples)) ** 2 for samples in mixtures], axis=0)
        frequency = np.linspace(0, SAMPLE_RATE / 2, len(spectrum))
        return float(spectrum[(frequency > 4000) & (frequency < 7900)].sum() / spectrum.sum())

    assert treble(Split.TRAIN) > 2 * treble(Split.VALIDATION)


def test_sources_of_few_recordings_count_for_more(small_material: Material) -> None:
    clips = [clip for clip in small_material.of(Split.TRAIN) if clip.label == SoundClass.DOG]
    origins = sorted({clip.origin for clip in clips})
    assert len(origins) >= 2
    # One recording is a source of its own, the others are one source together.
    clips = [replace(clip, source="alone" if clip.origin == origins[0] else "together") for clip in clips]

    def share(balance: float) -> float:
        recipe = Recipe(source_balance=balance, synthetic_shares={})
        events = Events(clips, small_material.recordings, small_material.label, [], recipe)
        alone = {clip.path for clip in clips if clip.origin == origins[0]}
        generator = np.random.default_rng(1)
        return float(np.mean([events.clip("dog", generator).path in alone for _ in range(600)]))

    assert share(0) == pytest.approx(1 / len(origins), abs=0.07)
    assert share(1) == pytest.approx(1 / 2, abs=0.07)
