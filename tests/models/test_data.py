"""Folds share no recording and no source, licences are respected, labels are where the sound is."""

from collections import defaultdict
from pathlib import Path
import re

from hypothesis import given, strategies as st
import numpy as np
import pytest

from echonet_models.data.activity import DOUBT_FRAMES, SILENT, SOUNDS, UNSURE, holds, label_frames
from echonet_models.data.folds import FOLDS, held_out, judged_clips, training_clips
from echonet_models.data.library import Library
from echonet_models.data.manifest import (
    CLASSES,
    TWINS,
    UNLABELLED,
    Clip,
    Licences,
    data_directory,
    read_manifest,
)
from echonet_models.errors import ModelsError
from echonet_satellite.protocol import SoundClass


def clip(label: str, source: str, origin: str, quality: str = "") -> Clip:
    return Clip(
        path=f"{label}/{source}/{origin}",
        label=label,
        source=source,
        origin=origin,
        licence_class="open",
        duration_s=1.0,
        quality=quality,
    )


CLIPS = st.lists(
    st.builds(
        clip,
        st.sampled_from([*map(str, CLASSES), "other", "background", UNLABELLED]),
        st.sampled_from(["a", "b", "c", "d", "e"]),
        st.one_of(st.integers(0, 60).map(str), st.sampled_from([name for group in TWINS for name in group])),
    ),
    max_size=200,
    unique_by=lambda item: item.path,
)


@given(CLIPS)
def test_every_clip_is_judged_once_and_unlabelled_sound_never(clips: list[Clip]) -> None:
    judged = [item.path for fold in range(FOLDS) for item in judged_clips(clips, fold)]
    assert sorted(judged) == sorted(item.path for item in clips if item.label != UNLABELLED)
    assert held_out(clips) == held_out(clips[::-1])


@given(CLIPS, st.integers(0, FOLDS - 1))
def test_a_network_never_hears_a_source_or_recording_that_it_is_judged_on(
    clips: list[Clip], fold: int
) -> None:
    judged, heard = judged_clips(clips, fold), training_clips(clips, fold)
    assert not {(item.label, item.source) for item in judged} & {
        (item.label, item.source) for item in heard if item.label != UNLABELLED
    }
    names = {item.origin for item in judged}
    names |= {name for group in TWINS if names & set(group) for name in group}
    assert not names & {item.origin for item in heard}


def test_every_real_class_is_left_out_in_every_fold_and_never_wholly(recordings: Path) -> None:
    clips = read_manifest(recordings)
    for label in {item.label for item in clips} - {UNLABELLED}:
        for fold in range(FOLDS):
            assert any(item.label == label for item in judged_clips(clips, fold)), (label, fold)
            assert any(item.label == label for item in training_clips(clips, fold)), (label, fold)


def test_the_network_that_is_released_hears_everything(recordings: Path) -> None:
    clips = read_manifest(recordings)
    assert training_clips(clips, None) == clips


def test_a_freesound_recording_is_on_one_side_in_whichever_collection(recordings: Path) -> None:
    """ESC-50 and UrbanSound8K took from the same uploads: their file names begin with (or hold) Freesound's number."""

    def number(item: Clip) -> str:
        found = re.findall(r"__(\d{3,7})-\d+-\d+-\d+_|__[1-5]-(\d{3,7})-[A-H]_", Path(item.path).stem)
        return "".join(found[0]) if found else ""

    clips = read_manifest(recordings)
    collections: dict[str, set[str]] = defaultdict(set)
    for item in clips:
        if number(item):
            collections[number(item)].add(item.source)
    assert sum(len(sources) > 1 for sources in collections.values()) > 20
    for fold in range(FOLDS):
        judged = {number(item) for item in judged_clips(clips, fold)} - {""}
        assert not judged & {number(item) for item in training_clips(clips, fold)}


def test_permissive_leaves_out_other_licences(small_data: Path) -> None:
    permissive = read_manifest(small_data, Licences.PERMISSIVE)
    assert {item.licence_class for item in permissive} == {"open"}
    assert len(permissive) < len(read_manifest(small_data))


def test_permissive_keeps_every_real_class(recordings: Path) -> None:
    permissive = read_manifest(recordings, Licences.PERMISSIVE)
    assert {item.licence_class for item in permissive} == {"open", "share-alike"}
    assert {item.label for item in permissive} >= {*map(str, CLASSES), "other", "background"}


def test_quality_notes_keep_a_clip_out_of_what_is_judged() -> None:
    assert clip("gunshot", "a", "1", "weak_impulse").unsure
    assert clip("dog", "a", "1", "label_suspect(other)").unsure
    assert not clip("baby_cry", "a", "1", "narrowband_8000Hz").unsure


def test_missing_data_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ModelsError, match="ECHONET_DATA"):
        data_directory(tmp_path)


def test_a_class_sounds_where_it_is_loud(library: Library) -> None:
    own = next(item for item in library.clips if item.label == "dog")
    labels = label_frames(own, library.recordings[own.path], library.lessons[own.path], library.class_map)
    column = CLASSES.index(SoundClass.DOG)
    assert (labels[55:145, column] == SOUNDS).all()
    assert (labels[:45, column] == SILENT).mean() > 0.9
    assert holds(labels, -120, 40)[column] == SILENT
    assert holds(labels, 0, 160)[column] == SOUNDS
    assert not (np.delete(labels, column, axis=1) == SOUNDS).any()


def test_what_nobody_labelled_is_no_negative_of_anything(library: Library) -> None:
    own = next(item for item in library.clips if item.label == UNLABELLED)
    labels = label_frames(own, library.recordings[own.path], library.lessons[own.path], library.class_map)
    assert (labels == UNSURE).all()


@given(st.lists(st.sampled_from([SOUNDS, SILENT, UNSURE]), min_size=1, max_size=400), st.integers(-200, 400))
def test_a_window_is_never_negative_where_its_class_sounds(marks: list[int], first: int) -> None:
    labels = np.tile(np.array(marks, np.int8)[:, None], (1, len(CLASSES)))
    held = holds(labels, first, first + 160)
    inside = labels[max(0, first) : max(0, first + 160)]
    for column, value in enumerate(held):
        if value == SILENT:
            assert not (inside[:, column] == SOUNDS).any()
            assert (inside[:, column] == UNSURE).sum() < DOUBT_FRAMES
        if value == SOUNDS:
            assert (inside[:, column] == SOUNDS).any()
