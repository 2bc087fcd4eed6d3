"""What people said of detections, as a folder for the next training: a table, embeddings, and the clips there are."""

import csv
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
import shutil
import sqlite3
from typing import Final

import numpy as np

from ..codec import decode
from ..errors import LearningError, ProtocolError
from ..frontend import Floats
from ..protocol import Detection, Phase
from .learner import STORE_FILE
from .store import LearningStore

_COLUMNS: Final = (
    "detection_id",
    "sound_class",
    "pattern",
    "onset",
    "duration_s",
    "confidence",
    "peak_dbfs",
    "verdict",
    "labelled_at",
    "clip",
)
_JOURNAL: Final = "journal.sqlite3"
_CLIPS: Final = "clips"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """How much there was."""

    labels: int
    embeddings: int
    clips: int


def export_labels(state: Path, folder: Path) -> Exported:
    """Write the verdicts of a state directory into a folder; a satellite that runs goes on meanwhile.

    Raises:
        LearningError: there are none, or they cannot be read or written.
    """
    rows = _labels(state / _JOURNAL)
    if not rows:
        raise LearningError(f"{state} holds no verdicts: say of an alert that it was a false alarm, or right")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise LearningError(f"{folder} is not empty: name a new folder")
        embeddings = _embeddings(state, [detection.id for detection, _, _ in rows])
        clips = 0
        with (folder / "labels.csv").open("w", newline="", encoding="utf-8") as stream:
            table = csv.writer(stream)
            table.writerow(_COLUMNS)
            for detection, verdict, labelled_at in rows:
                clip = _copy_clip(state, folder, detection)
                clips += clip is not None
                table.writerow(
                    (
                        detection.id,
                        detection.sound_class.value,
                        detection.pattern.value if detection.pattern else "",
                        detection.onset.isoformat(timespec="milliseconds"),
                        round(detection.duration_s, 2),
                        round(detection.confidence, 4),
                        detection.peak_dbfs,
                        verdict,
                        datetime.fromtimestamp(labelled_at, UTC).isoformat(timespec="seconds"),
                        clip.name if clip else "",
                    )
                )
        with (folder / "embeddings.npz").open("wb") as file:
            np.savez_compressed(file, **embeddings)  # type: ignore[arg-type]  # the names are ours
    except OSError as err:
        raise LearningError(f"cannot write {folder}: {err.strerror}") from None
    return Exported(labels=len(rows), embeddings=len(embeddings), clips=clips)


def _labels(journal: Path) -> list[tuple[Detection, str, float]]:
    """Return each detection that somebody judged, as its last message tells it, with verdict and time."""
    if not journal.is_file():
        raise LearningError(f"{journal} does not exist: name the state directory with --state")
    try:
        database = sqlite3.connect(f"file:{journal}?mode=ro", uri=True, timeout=5.0)
        try:
            rows = database.execute(
                "SELECT frame, verdict, labelled_at FROM labels JOIN detections ON detections.id = labels.detection_id "
                "ORDER BY labelled_at, sequence"
            ).fetchall()
        finally:
            database.close()
    except sqlite3.Error as err:
        raise LearningError(f"cannot read {journal}: {err}") from None
    last: dict[str, tuple[Detection, str, float]] = {}
    for frame, verdict, labelled_at in rows:
        try:
            message = decode(frame)
        except ProtocolError:
            continue
        if isinstance(message, Detection):
            before = last.get(message.id)
            if before is None or before[0].phase is not Phase.END:
                last[message.id] = (message, str(verdict), float(labelled_at))
    return list(last.values())


def _embeddings(state: Path, detection_ids: list[str]) -> dict[str, Floats]:
    if not (state / STORE_FILE).is_file():
        return {}
    store = LearningStore(state / STORE_FILE)
    try:
        traces = [store.trace(name) for name in detection_ids]
    finally:
        store.close()
    return {trace.detection_id: trace.embeddings for trace in traces if trace is not None}


def _copy_clip(state: Path, folder: Path, detection: Detection) -> Path | None:
    """Copy the clip of a detection, whose file has its id in its name."""
    found = next((state / _CLIPS).glob(f"*_{detection.id}_*.flac"), None) if detection.id.isalnum() else None
    if found is None:
        return None
    target = folder / f"{detection.sound_class}_{detection.id}.flac"
    shutil.copyfile(found, target)
    return target
