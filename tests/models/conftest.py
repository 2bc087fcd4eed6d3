"""Sound for the tests of the models: a small data set of synthetic recordings, in the layout of the real one."""

from collections.abc import Sequence
import csv
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import soundfile

pytest.importorskip("tensorflow", reason="TensorFlow is in .venv-models only: scripts/setup models")

from echonet_models import mn04
from echonet_models.datasets import BACKGROUND, CLASSES, OTHER, Clip, read_manifest, split_by_recording
from echonet_models.errors import ModelsError
from echonet_models.knowledge import SCALE, Knowledge
from echonet_models.material import Material
from echonet_models.recipe import Recipe
from echonet_models.recordings import SAMPLE_RATE, Recordings, open_recordings
from echonet_models.teachers import DENSE_HOP, DENSE_LEAD, TEACHER_CLASSES, WINDOW, teachers_directory

FIELDS = (
    *(
        "path",
        "label",
        "sublabel",
        "source",
        "commit",
        "original_path",
        "origin_id",
        "license",
        "license_class",
    ),
    *("duration_s", "orig_sr", "fold", "hard_negative_for", "may_contain", "qc", "rms_dbfs", "peak_dbfs"),
)


# One event a mixture, clear and dry: what a small network can learn in a minute.
PLAIN = Recipe(
    events=(0.0, 1.0),
    other_share=0,
    synthetic_shares={},
    treble_share=0,
    ebr_db=(24, 24),
    clean_share=0,
    companion_share=0,
    second_background_share=0,
    room_share=0,
    colour_share=0,
    speed_share=0,
    clip_share=0,
)


def tone(frequency: float, seconds: float, generator: np.random.Generator) -> np.ndarray:
    """Return a beep in the middle of near-silence."""
    time = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    envelope = (time > seconds / 4) & (time < seconds * 3 / 4)
    return (
        0.3 * np.sin(2 * np.pi * frequency * time) * envelope + generator.normal(0, 1e-3, len(time))
    ).astype(np.float32)


def parrot(clips: Sequence[Clip], recordings: Recordings) -> Knowledge:
    """Return a teacher that hears whose clip it is: its score of the clip's class (or the ninth, tenth) is 1."""
    labels = [*map(str, CLASSES), OTHER, BACKGROUND]
    scores = {}
    for clip in clips:
        windows = 2 * DENSE_LEAD + max(0, recordings.length(clip.path) - WINDOW) // DENSE_HOP + 1
        heard = np.zeros((windows, TEACHER_CLASSES), np.uint8)
        heard[:, labels.index(clip.label)] = SCALE
        scores[clip.path] = heard
    return Knowledge(scores)


@pytest.fixture(scope="session")
def teachers() -> Path:
    """The folder of the teachers' networks."""
    try:
        directory = teachers_directory()
    except ModelsError as error:
        pytest.skip(str(error))
    if not (directory / mn04.MODEL_FILE).is_file():
        pytest.skip(f"no {mn04.MODEL_FILE} in {directory}")
    return directory


@pytest.fixture(scope="session")
def small_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five recordings a class, each class a pitch of its own; noise as `other` and `background`."""
    directory = tmp_path_factory.mktemp("data")
    generator = np.random.default_rng(0)
    rows = []
    for label in [*map(str, CLASSES), "other", "background"]:
        (directory / label).mkdir()
        for number in range(10):
            seconds = 12.0 if label == "background" else 2.0
            if label in ("other", "background"):
                samples = generator.normal(0, 0.02, int(seconds * SAMPLE_RATE)).astype(np.float32)
            else:
                samples = tone(300 * 1.45 ** [*map(str, CLASSES)].index(label), seconds, generator)
            path = f"{label}/{number}.flac"
            soundfile.write(directory / path, samples, SAMPLE_RATE)
            row = dict.fromkeys(FIELDS, "")
            row.update(
                path=path,
                label=label,
                sublabel="test",
                source=f"source-{number % 2}",
                duration_s=str(seconds),
            )
            row.update(origin_id=f"{label}-{number // 2}", license_class="open" if number % 4 else "unstated")
            rows.append(row)
    with (directory / "manifest.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, FIELDS)
        writer.writeheader()
        writer.writerows(rows)
    return directory


@pytest.fixture(scope="session")
def small_material(small_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Material:
    """The small data set, opened; its teacher hears nothing."""
    clips = read_manifest(small_data)
    recordings = open_recordings(small_data, clips, tmp_path_factory.mktemp("cache"))
    deaf = {clip.path: np.zeros((4, 2, len(CLASSES)), np.float32) for clip in clips}
    return Material(
        clips, split_by_recording(clips), recordings, deaf, [], partial(parrot, clips, recordings)
    )
