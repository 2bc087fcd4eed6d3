"""What a false alarm may teach, and what it never may."""

from dataclasses import replace
from pathlib import Path

from hypothesis import given, settings, strategies as st
import numpy as np
import pytest

from echonet_satellite.card import ModelError
from echonet_satellite.classifier import load_classifier
from echonet_satellite.learning.lessons import (
    MAX_LESSONS,
    MOST_LOST,
    NEVER_SILENCED,
    Lesson,
    Quiet,
    Refusal,
    allowed,
    learn,
    silenced,
)
from echonet_satellite.learning.reference import (
    REFERENCE_FILE,
    Reference,
    read_reference,
    write_reference,
)
from echonet_satellite.protocol import AlarmPattern, SoundClass
from tests.support.hearing import model_directory
from tests.support.learning import CLASSES, EMBEDDING, SIZE, directions, embeddings, reference_of


@settings(max_examples=60)
@given(seed=st.integers(0, 10_000), taps=st.integers(1, 40), recordings=st.sampled_from([0, 1, 20, 60, 150]))
def test_whatever_is_called_a_false_alarm_true_sounds_stay_heard(
    seed: int, taps: int, recordings: int
) -> None:
    reference = reference_of(seed, recordings)
    generator = np.random.default_rng(seed + 1)
    lessons: list[Lesson] = []
    for number in range(taps):
        name = CLASSES[int(generator.integers(len(CLASSES)))]
        found = learn(reference, lessons, str(number), name, None, embeddings(seed + number))
        if isinstance(found, Lesson):
            lessons.append(found)
    for name in CLASSES:
        lost = int(silenced(reference, name, lessons).sum())
        assert lost <= MOST_LOST * recordings
    alarms = [lesson for lesson in lessons if lesson.sound_class is SoundClass.ALARM]
    assert not any(lesson.knows(reference.smoke).any() for lesson in alarms)


def test_a_true_recording_that_is_called_a_false_alarm_silences_no_more_than_is_allowed() -> None:
    """Somebody who taps on everything, true alarms too."""
    reference = reference_of(3)
    # Embeddings that lie exactly where recordings of the class do.
    back = np.linalg.pinv(reference.basis)
    lessons: list[Lesson] = []
    refused = 0
    for number, recording in enumerate(reference.sounds[SoundClass.GLASS_BREAK]):
        taught = recording @ back + reference.mean
        found = learn(
            reference, lessons, str(number), SoundClass.GLASS_BREAK, None, taught.astype(np.float32)
        )
        if isinstance(found, Lesson):
            lessons.append(found)
        else:
            assert found is Refusal.TOO_SIMILAR
            refused += 1
    assert refused >= 60 - allowed(60)
    assert silenced(reference, SoundClass.GLASS_BREAK, lessons).sum() <= allowed(60)


def test_where_few_true_recordings_are_known_the_others_stay_heard_too() -> None:
    """Five dogs say little of all dogs: a lesson keeps further away from them."""
    lost = []
    for seed in range(30):
        everybody = reference_of(seed, 105)
        known = {name: own[:5] for name, own in everybody.sounds.items()}
        found = learn(
            replace(everybody, sounds=known), [], "a", SoundClass.DOG, None, embeddings(seed + 1000)
        )
        if isinstance(found, Lesson):
            lost.append(found.knows(everybody.sounds[SoundClass.DOG][5:]).any(axis=-1).mean())
    assert lost
    assert np.mean(lost) <= 2 * MOST_LOST


@pytest.mark.parametrize("pattern", sorted(NEVER_SILENCED))
def test_a_smoke_or_co_alarm_is_never_unlearned(pattern: AlarmPattern) -> None:
    trace = embeddings(1)
    assert learn(reference_of(), [], "1", SoundClass.ALARM, pattern, trace) is Refusal.SMOKE_OR_CO
    assert isinstance(learn(reference_of(), [], "1", SoundClass.ALARM, AlarmPattern.CLOCK, trace), Lesson)


def test_a_lesson_silences_its_own_class_and_its_own_sound_only() -> None:
    reference = reference_of()
    taught, other = embeddings(5), embeddings(6)
    lesson = learn(reference, [], "1", SoundClass.DOG, None, taught)
    assert isinstance(lesson, Lesson)
    quiet = Quiet(reference, CLASSES, [lesson])
    loud = [0.9] * len(CLASSES)
    dog = CLASSES.index(SoundClass.DOG)
    assert quiet.silences(loud, taught[0], 0.05) == [dog]
    assert quiet.silences([0.01] * len(CLASSES), taught[0], 0.05) == []
    far = [one for one in other if not lesson.knows(reference.place(one))]
    assert far
    assert quiet.silences(loud, far[0], 0.05) == []


def test_of_what_nobody_knows_any_more_nothing_is_learned() -> None:
    nothing = np.zeros((0, EMBEDDING), np.float32)
    assert learn(reference_of(), [], "1", SoundClass.DOG, None, nothing) is Refusal.NOT_KEPT


def test_a_reference_set_survives_its_file(tmp_path: Path) -> None:
    card = load_classifier(model_directory()).card
    generator = np.random.default_rng(2)
    made = Reference(
        mean=generator.normal(size=card.embedding_size).astype(np.float32),
        basis=generator.normal(size=(card.embedding_size, SIZE)).astype(np.float32),
        sounds={name: directions(generator, 4, 3) for name in card.classes},
        smoke=directions(generator, 5),
        usual=directions(generator),
        spread=(np.eye(SIZE) / SIZE).astype(np.float32),
    )
    path = write_reference(tmp_path, card.sha256, made)
    read = read_reference(tmp_path, card)
    assert np.abs(read.smoke - made.smoke).max() < 0.01
    assert read.spread == pytest.approx(made.spread, abs=0.001)
    assert read.usual == pytest.approx(made.usual)
    assert np.abs(read.sounds[SoundClass.DOG] - made.sounds[SoundClass.DOG]).max() < 0.01
    embedding = generator.normal(size=card.embedding_size).astype(np.float32)
    assert read.place(embedding) == pytest.approx(made.place(embedding), abs=0.01)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(ModelError, match="damaged"):
        read_reference(tmp_path, card)
    write_reference(tmp_path, "0" * 64, made)
    with pytest.raises(ModelError, match="another network"):
        read_reference(tmp_path, card)
    (tmp_path / REFERENCE_FILE).unlink()
    with pytest.raises(ModelError, match="missing"):
        read_reference(tmp_path, card)


def test_with_the_set_that_ships_no_taps_cost_more_than_two_points_of_any_class() -> None:
    """Somebody taps away everyday sounds and true ones alike, until the lessons are full."""
    reference = read_reference(model_directory(), load_classifier(model_directory()).card)
    back, spread = np.linalg.pinv(reference.basis), reference.spread.astype(np.float64)
    taps = (MAX_LESSONS, 4)
    everyday = np.random.default_rng(0).multivariate_normal(reference.usual, spread, taps, method="eigh")
    learned = 0
    for name, true in reference.sounds.items():
        assert len(true) >= 8, name
        lessons: list[Lesson] = []
        for tap in range(MAX_LESSONS):
            taught = true[tap % len(true)] if tap % 3 == 0 else everyday[tap]
            found = learn(
                reference, lessons, str(tap), name, None, (taught @ back + reference.mean).astype(np.float32)
            )
            if isinstance(found, Lesson):
                lessons.append(found)
        assert silenced(reference, name, lessons).sum() <= MOST_LOST * len(true), name
        learned += len(lessons)
        if name is SoundClass.ALARM:
            assert not any(lesson.knows(reference.smoke).any() for lesson in lessons)
    assert learned > MAX_LESSONS
