"""Recordings bent far: still sound, each its seed's, and of their class only where the teacher says so."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

from hypothesis import given, settings, strategies as st
import numpy as np
import pytest

from echonet_models import bends
from echonet_models.activity import IGNORE
from echonet_models.augment import read_room_responses
from echonet_models.bank import Bank, Kept
from echonet_models.bends import LONGEST_S, bend_far
from echonet_models.datasets import CLASSES, OTHER, Clip, Split, data_directory, read_manifest
from echonet_models.errors import ModelsError
from echonet_models.events import Events
from echonet_models.knowledge import Knowledge
from echonet_models.material import Material
from echonet_models.recipe import Recipe
from echonet_models.recordings import SAMPLE_RATE, Recordings, Samples, open_recordings
from echonet_models.teachers import TEACHER_CLASSES, teach, teachers_directory
from echonet_models.variations import judge, open_variations
from echonet_satellite.protocol import SoundClass

GUNSHOT, GLASS = CLASSES.index(SoundClass.GUNSHOT), CLASSES.index(SoundClass.GLASS_BREAK)
SHOT = Clip(path="shot", label="gunshot", origin="shot")
FIREWORK = Clip(path="firework", label=OTHER, origin="firework", imitates=frozenset({"gunshot"}))


def bang(seed: int, seconds: float = 1.5) -> Samples:
    generator = np.random.default_rng(seed)
    samples = generator.normal(size=int(seconds * SAMPLE_RATE)) * np.exp(
        -np.arange(int(seconds * SAMPLE_RATE)) / 2000
    )
    level: Samples = (samples / np.abs(samples).max()).astype(np.float32)
    return level


def heard(gunshot: float = 0.0, glass: float = 0.0) -> np.ndarray:
    taught = np.zeros((2, 2, len(CLASSES)), np.float32)
    taught[..., GUNSHOT], taught[..., GLASS] = gunshot, glass
    return taught


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.02, 14))
def test_what_is_bent_is_sound_and_its_seed_s(seed: int, seconds: float) -> None:
    samples = bang(1, seconds)
    bent = bend_far(samples, np.random.default_rng(seed), [], 0.7)
    assert bent.dtype == np.float32
    assert 0 < len(bent) <= LONGEST_S * SAMPLE_RATE
    assert np.isfinite(bent).all()
    assert np.abs(bent).max() <= 1 + 1e-5
    np.testing.assert_array_equal(bent, bend_far(samples, np.random.default_rng(seed), [], 0.7))


def test_silence_stays_silence() -> None:
    for seed in range(20):
        assert not bend_far(np.zeros(8000, np.float32), np.random.default_rng(seed), [], 0.5).any()


def test_dynamics_are_stretched_and_squeezed() -> None:
    """What is 20 dB under the peak gets louder or quieter against it; the peak stays where it is."""
    steps = np.repeat(np.array([1.0, 0.1], np.float32), SAMPLE_RATE) * np.sin(
        np.arange(2 * SAMPLE_RATE)
    ).astype(np.float32)
    ratios = []
    for seed in range(12):
        shaped = bends.shape_dynamics(steps, np.random.default_rng(seed))
        loud, quiet = (
            np.abs(shaped[2000 : SAMPLE_RATE - 2000]).max(),
            np.abs(shaped[SAMPLE_RATE + 2000 : -2000]).max(),
        )
        ratios.append(quiet / loud)
    assert min(ratios) < 0.05
    assert max(ratios) > 0.15


def test_a_bent_shot_is_one_while_the_teacher_hears_it() -> None:
    samples = bang(2)
    labels = judge(SHOT, samples, heard(0.5), heard(0.8))
    assert labels is not None
    assert (labels[:, GUNSHOT] == 1).any()
    assert judge(SHOT, samples, heard(0.3), heard(0.8)) is None
    assert judge(SHOT, samples, heard(0.05), heard(0.05)) is None


def test_what_else_a_bent_sound_may_be_is_unsure() -> None:
    labels = judge(SHOT, bang(3), heard(0.8, glass=0.3), heard(0.8))
    assert labels is not None
    assert set(labels[:, GLASS].tolist()) == {IGNORE}


def test_an_imitation_is_one_while_the_teacher_does_not_hear_more_of_it() -> None:
    samples = bang(4)
    before = judge(FIREWORK, samples, heard(0.4), heard(0.45))
    more = judge(FIREWORK, samples, heard(0.6), heard(0.45))
    assert before is not None
    assert more is not None
    assert not before[:, GUNSHOT].any()
    assert set(more[:, GUNSHOT].tolist()) == {IGNORE}


def test_variations_come_as_often_as_the_recipe_says(small_material: Material) -> None:
    clips = small_material.of(Split.TRAIN)
    dogs = [clip for clip in clips if clip.label == SoundClass.DOG]
    samples = (bang(5) * 30000).astype(np.int16)
    paths = {clip.path: f"bent/0/{clip.path}" for clip in dogs}
    recordings = Recordings(samples, dict.fromkeys(paths.values(), (0, len(samples))))
    labels = np.zeros((-(-len(samples) // 1280), len(CLASSES)), np.int8)
    knowledge = Knowledge({path: np.zeros((9, TEACHER_CLASSES), np.uint8) for path in paths.values()})
    bank = Bank({clip: [Kept(recordings, path, labels)] for clip, path in paths.items()}, knowledge)
    recipe = Recipe(synthetic_shares={}, varied_share=0.4)
    events = Events(clips, small_material.recordings, small_material.label, [], recipe, bank)
    generator = np.random.default_rng(0)
    drawn = Counter(
        str(events.draw_class(SoundClass.DOG, generator).path).startswith("bent/") for _ in range(300)
    )
    assert 90 <= drawn[True] <= 150
    assert not any(
        str(events.draw_class(SoundClass.FIRE, generator).path).startswith("bent/") for _ in range(30)
    )


def test_a_training_hears_variations_of_its_own_recordings_alone(small_material: Material) -> None:
    """A clip of another split has variations too; they are never drawn."""
    dogs = {
        split: [clip for clip in small_material.of(split) if clip.label == SoundClass.DOG] for split in Split
    }
    samples = (bang(6) * 30000).astype(np.int16)
    everything = [clip for found in dogs.values() for clip in found]
    recordings = Recordings(samples, {f"bent/0/{clip.path}": (0, len(samples)) for clip in everything})
    labels = np.zeros((-(-len(samples) // 1280), len(CLASSES)), np.int8)
    knowledge = Knowledge(
        {f"bent/0/{clip.path}": np.zeros((9, TEACHER_CLASSES), np.uint8) for clip in everything}
    )
    bank = Bank(
        {clip.path: [Kept(recordings, f"bent/0/{clip.path}", labels)] for clip in everything}, knowledge
    )
    material = replace(small_material, recipe=Recipe(synthetic_shares={}, varied_share=1.0))
    events = Events(material.of(Split.TRAIN), material.recordings, material.label, [], material.recipe, bank)
    generator = np.random.default_rng(0)
    drawn = {events.draw_class(SoundClass.DOG, generator).path for _ in range(100)}
    assert drawn == {f"bent/0/{clip.path}" for clip in dogs[Split.TRAIN]}


def test_real_shots_are_bent_and_judged_once(tmp_path: Path) -> None:
    try:
        directory, teachers = data_directory(), teachers_directory()
    except ModelsError as error:
        pytest.skip(str(error))
    shots = [
        clip for clip in read_manifest(directory) if clip.label == SoundClass.GUNSHOT and not clip.unsure
    ][:4]
    (tmp_path / "plain").mkdir()
    recordings = open_recordings(directory, shots, tmp_path / "plain")
    taught = teach(teachers, recordings, shots, tmp_path / "plain")
    rooms = read_room_responses(directory)
    bank = open_variations(teachers, shots, recordings, taught, rooms, tmp_path)
    assert sum(bank.count(clip.path) for clip in shots) > 0
    (folder,) = tmp_path.glob("variations-*")
    before = (folder / "recordings.int16").stat().st_mtime_ns
    again = open_variations(teachers, shots, recordings, taught, rooms, tmp_path)
    assert (folder / "recordings.int16").stat().st_mtime_ns == before
    assert [again.count(clip.path) for clip in shots] == [bank.count(clip.path) for clip in shots]
