"""Splits share no recording, licences are respected, errors say what to do."""

from pathlib import Path

from hypothesis import given, strategies as st
import pytest

from echonet_models.datasets import (
    CLASSES,
    Clip,
    Licences,
    Split,
    data_directory,
    read_manifest,
    split_by_recording,
    split_by_source,
)
from echonet_models.errors import ModelsError


def clip(label: str, source: str, origin: str) -> Clip:
    return Clip(
        path=f"{label}/{source}/{origin}",
        label=label,
        sublabel="",
        source=source,
        origin=origin,
        licence_class="open",
        duration_s=1.0,
        imitates=frozenset(),
        may_contain=frozenset(),
        quality="",
    )


CLIPS = st.lists(
    st.builds(
        clip,
        st.sampled_from([*map(str, CLASSES), "other", "background"]),
        st.sampled_from(["a", "b", "c"]),
        st.integers(0, 60).map(str),
    ),
    max_size=200,
)


@given(CLIPS)
def test_every_recording_is_in_one_split(clips: list[Clip]) -> None:
    split = split_by_recording(clips)
    assert set(split) == {clip.origin for clip in clips}
    assert split == split_by_recording(clips[::-1])


@given(CLIPS, st.sets(st.sampled_from(["a", "b", "c"])))
def test_held_out_sources_are_validation_and_share_no_recording(
    clips: list[Clip], held_out: set[str]
) -> None:
    split = split_by_source(clips, held_out)
    for item in clips:
        if item.source in held_out:
            assert split[item.origin] is Split.VALIDATION
    validation = {item.source for item in clips if split[item.origin] is Split.VALIDATION}
    outside = {item.origin for item in clips if item.source in held_out}
    assert not validation - held_out - {item.source for item in clips if item.origin in outside}


def test_real_recordings_are_split_in_three(recordings: Path) -> None:
    clips = read_manifest(recordings)
    split = split_by_recording(clips)
    for label in {item.label for item in clips}:
        origins = {item.origin for item in clips if item.label == label}
        shares = {part: sum(split[origin] is part for origin in origins) / len(origins) for part in Split}
        assert 0.1 < shares[Split.VALIDATION] < 0.35, label
        assert shares[Split.TUNE] > 0.05, label
        assert shares[Split.TRAIN] > 0.5, label


def test_permissive_leaves_out_other_licences(small_data: Path) -> None:
    permissive = read_manifest(small_data, Licences.PERMISSIVE)
    assert {item.licence_class for item in permissive} == {"open"}
    assert len(permissive) < len(read_manifest(small_data))


def test_missing_data_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ModelsError, match="ECHONET_DATA"):
        data_directory(tmp_path)
