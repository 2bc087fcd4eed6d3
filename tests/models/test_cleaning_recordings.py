"""Cleaning of real recordings with the real teacher: embedded once, also over a stop, and judged."""

from pathlib import Path

import numpy as np
import pytest

from echonet_models import embeddings
from echonet_models.activity import STEP
from echonet_models.cleaning import DROPPED, KEPT, verdicts
from echonet_models.datasets import Split, read_manifest, split_by_recording
from echonet_models.decisions import Decision, adopt_decisions
from echonet_models.embeddings import embed_clips, window_count
from echonet_models.errors import ModelsError
from echonet_models.recordings import Recordings, open_recordings
from echonet_models.teachers import teachers_directory


def test_real_clips_are_embedded_once_and_judged(recordings: Path, tmp_path: Path) -> None:
    """Three dogs and the like: the silence behind a bark is dropped, barks are kept, and the cache says the same."""
    try:
        teachers = teachers_directory()
    except ModelsError as error:
        pytest.skip(str(error))
    short = [item for item in read_manifest(recordings) if item.duration_s < 5.1]
    clips = [
        item
        for label in ("dog", "baby_cry", "gunshot", "other")
        for item in [one for one in short if one.label == label and "ESC" in one.source + one.path.upper()][
            :6
        ]
        or [one for one in short if one.label == label][:6]
    ]
    sound = open_recordings(recordings, clips, tmp_path)
    first = embed_clips(teachers, sound, clips, tmp_path)
    assert {path: len(windows) for path, windows in first.items()} == {
        item.path: window_count(sound.length(item.path)) for item in clips
    }
    assert not (tmp_path / "embeddings").exists()
    again = embed_clips(tmp_path / "no teacher is asked twice", sound, clips, tmp_path)
    assert all((again[path] == first[path]).all() for path in first)

    split = {**split_by_recording(clips), **{item.origin: Split.TRAIN for item in clips}}
    judged = verdicts(clips, sound, tmp_path, teachers, split)
    assert set(judged) == {item.path for item in clips if item.sound_class}
    for item in clips:
        if item.sound_class:
            assert len(judged[item.path]) == -(-sound.length(item.path) // STEP)
    together = np.concatenate(list(judged.values()))
    assert 0.5 < (together == KEPT).mean() < 1
    overridden = verdicts(
        clips, sound, tmp_path, teachers, split, [Decision(clips[0].path, 0, 9, keep=False)]
    )
    assert (overridden[clips[0].path] == DROPPED).all()
    assert all((overridden[path] == judged[path]).all() for path in judged if path != clips[0].path)
    file = tmp_path / "mine.csv"
    file.write_text(f"{clips[0].path},0,9,drop\n", encoding="utf-8")
    adopt_decisions(file, tmp_path)
    assert (verdicts(clips, sound, tmp_path, teachers, split)[clips[0].path] == DROPPED).all()


def test_embedding_goes_on_where_it_was_stopped(
    recordings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    try:
        teachers = teachers_directory()
    except ModelsError as error:
        pytest.skip(str(error))
    monkeypatch.setattr(embeddings, "CLIPS_PER_PART", 2)
    clips = [item for item in read_manifest(recordings) if item.label == "gunshot"][:4]
    sound = open_recordings(recordings, clips, tmp_path)
    asked: list[str] = []

    class Stops(Recordings):
        def __getitem__(self, path: str) -> np.ndarray:
            asked.append(path)
            if len(asked) == 4:
                raise KeyboardInterrupt
            return sound[path]

    stops = Stops(np.zeros(0, np.int16), {})
    with pytest.raises(KeyboardInterrupt):
        embed_clips(teachers, stops, clips, tmp_path)
    assert set(embed_clips(teachers, stops, clips, tmp_path)) == {item.path for item in clips}
    assert asked == [item.path for item in clips] + [item.path for item in clips[2:]]
