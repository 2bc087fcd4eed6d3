"""Windows to learn from: labelled by what is in them, told by neither treble nor loudness."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from echonet_models.data.library import Library
from echonet_models.data.manifest import CLASSES, UNLABELLED, read_manifest
from echonet_models.data.recordings import SAMPLE_RATE, open_recordings
from echonet_models.data.teachers import AUDIOSET_CLASSES, STRETCH, Lesson, read_class_map, stretches
from echonet_models.errors import ModelsError
from echonet_models.mixing.made_up import MadeUp
from echonet_models.mixing.sirens import alarm
from echonet_models.mixing.windows import Recipe, Windows, stack
from echonet_models.network.ears import WINDOW_FRAMES
from echonet_satellite.protocol import SoundClass


def test_the_same_seed_makes_the_same_windows(library: Library) -> None:
    first, second = (
        stack([Windows(library, Recipe(), np.random.default_rng(7)).mix() for _ in range(3)])
        for _ in range(2)
    )
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(np.asarray(one), np.asarray(other))


def test_windows_look_as_the_satellite_sees_them(library: Library) -> None:
    windows = Windows(library, Recipe(), np.random.default_rng(0))
    log_mel, labels, logits = stack([*(windows.mix() for _ in range(4)), *(windows.cut() for _ in range(4))])
    assert log_mel.shape == (8, WINDOW_FRAMES, 104)
    assert labels.shape == (8, len(CLASSES))
    assert np.isfinite(logits[4:]).all()


def test_in_a_mixture_the_teachers_are_taken_to_hear_what_is_loud_enough(library: Library) -> None:
    windows = Windows(library, Recipe(synthetic_alarm_share=0.0), np.random.default_rng(0))
    mixed = [windows.mix() for _ in range(200)]
    asked = [(window.labels, window.logits) for window in mixed if window.logits is not None]
    assert 0.2 * len(mixed) < len(asked) < 0.9 * len(mixed)
    for labels, logits in asked:
        # The library's teachers say 2 of a clip's own class, and -6 of all others.
        assert (logits[: len(CLASSES)][labels == 1] == 2).all()
    faint = Recipe(synthetic_alarm_share=0.0, clean_share=0.0, empty_share=0.0, ebr_db=(-9.0, -4.0))
    windows = Windows(library, faint, np.random.default_rng(0))
    assert all(windows.mix().logits is None for _ in range(20))


def test_noise_over_a_recording_leaves_what_is_in_it(library: Library) -> None:
    recipe = Recipe(noisy_cut_share=1.0, noisy_cut_db=(0.0, 0.0), gain_db=(0.0, 0.0))
    noisy, plain = (
        Windows(library, one, np.random.default_rng(0)).cut("dog")
        for one in (recipe, replace(recipe, noisy_cut_share=0.0))
    )
    assert np.array_equal(noisy.labels, plain.labels)
    assert noisy.log_mel.min() > plain.log_mel.min()


def test_unlabelled_sound_teaches_what_the_teachers_say_and_no_class(library: Library) -> None:
    window = Windows(library, Recipe(), np.random.default_rng(0)).cut(UNLABELLED)
    assert (window.labels == -1).all()
    assert window.logits is not None


def test_what_is_made_up_is_known_by_its_number_and_can_be_heard(library: Library) -> None:
    made_up, again = MadeUp(library), MadeUp(library)
    for number in range(60):
        sound = made_up.sound(number)
        assert sound.shape == (STRETCH,)
        assert sound.dtype == np.float32
        assert 0 < np.abs(sound).max() <= 1
        if number % 10 == 0:
            np.testing.assert_array_equal(sound, again.sound(number))
            assert not np.array_equal(sound, made_up.sound(number + 1))


def test_what_is_made_up_teaches_what_the_teachers_say_and_nothing_of_our_classes(library: Library) -> None:
    made_up = MadeUp(library)
    made_up.logits = np.arange(3, dtype=np.float32)[:, None].repeat(AUDIOSET_CLASSES, axis=1)
    windows = Windows(library, Recipe(made_up_share=0.25), np.random.default_rng(0), made_up)
    _, labels, logits = stack(windows.batch(16))
    assert (labels == -2).all(axis=1).sum() == 4
    assert set(logits[(labels == -2).all(axis=1)].ravel().tolist()) <= {0, 1, 2}
    assert not (stack(Windows(library, Recipe(), np.random.default_rng(0)).batch(16))[1] == -2).any()


def test_no_piece_of_a_recording_that_a_fold_is_judged_on_is_made_up(library: Library) -> None:
    """Here an unlabelled clip is of a recording of which another clip is labelled,."""
    twin = next(clip for clip in library.clips if clip.label == UNLABELLED)
    labelled = next(clip for clip in library.clips if clip.sound_class is SoundClass.DOG)
    clips = [replace(twin, origin=labelled.origin), labelled]
    with pytest.raises(ModelsError, match="unlabelled"):
        MadeUp(library.only(clips))


def test_the_teachers_are_asked_once_about_what_is_made_up(
    library: Library, teachers: Path, tmp_path: Path
) -> None:
    asked = replace(library, class_map=read_class_map(teachers))
    first, again = MadeUp(asked), MadeUp(asked)
    first.ask(2, asked, teachers, tmp_path)
    again.ask(2, asked, tmp_path / "nobody to be asked", tmp_path)
    np.testing.assert_array_equal(first.logits, again.logits)
    assert first.logits.shape == (2, AUDIOSET_CLASSES)


def test_every_class_is_mixed_in(library: Library) -> None:
    windows = Windows(library, Recipe(synthetic_alarm_share=0.0), np.random.default_rng(0))
    labels = np.stack([windows.mix().labels for _ in range(300)])
    assert ((labels == 1).sum(axis=0) >= 5).all()
    # Most windows are sure of most classes.
    assert (labels == -1).mean() < 0.2


@pytest.mark.parametrize("seed", range(12))
def test_made_up_alarms_are_loud_and_clean(seed: int) -> None:
    sound = alarm(np.random.default_rng(seed))
    assert np.isfinite(sound).all()
    assert np.abs(sound).max() == pytest.approx(1.0, abs=1e-3)
    assert 3 <= len(sound) / SAMPLE_RATE <= 8


def test_neither_missing_treble_nor_loudness_tells_a_cry(
    recordings: Path, library: Library, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Most baby cries are from the telephone: as clips they are known by that, as mixtures they must not be."""
    clips = read_manifest(recordings)
    cries = [item for item in clips if item.label == "baby_cry" and "narrowband" in item.quality][:30]
    rest = [
        item
        for label in sorted({item.label for item in clips} - {"baby_cry", UNLABELLED})
        for item in [one for one in clips if one.label == label][:8]
    ]
    sound = open_recordings(recordings, [*cries, *rest], tmp_path_factory.mktemp("narrow"))

    def treble(frames: np.ndarray) -> float:
        # The bands over about 4.5 kHz against all, where the window is loudest.
        loudest = frames[np.argsort(frames.mean(axis=1))[-20:]]
        return float(loudest[:, 78:].mean() - loudest.mean())

    def deaf(path: str) -> Lesson:
        starts = np.array(stretches(next(c for c in clips if c.path == path), sound.length(path)))
        return Lesson(starts, np.full((len(starts), AUDIOSET_CLASSES), -6, np.float32))

    own = [*cries, *rest]
    real = Library(own, sound, {item.path: deaf(item.path) for item in own}, library.class_map)
    windows = Windows(real, Recipe(empty_share=0.0), np.random.default_rng(0))
    mixed = [windows.mix() for _ in range(600)]
    truth = [bool(one.labels[CLASSES.index(SoundClass.BABY_CRY)] == 1) for one in mixed]
    for measure in (treble, lambda frames: float(frames.mean())):
        area = roc_auc_score(truth, [measure(one.log_mel) for one in mixed])
        assert max(area, 1 - area) < 0.75
