"""Sound for the tests of the models: a small data set of synthetic recordings, in the layout of the real one."""

import csv
from pathlib import Path

import numpy as np
import pytest
import soundfile

pytest.importorskip("tensorflow", reason="TensorFlow is in .venv-models only: scripts/setup models")

from echonet_models.data.library import Library
from echonet_models.data.manifest import BACKGROUND, CLASSES, OTHER, UNLABELLED, Clip, read_manifest
from echonet_models.data.recordings import SAMPLE_RATE, open_recordings
from echonet_models.data.teachers import AUDIOSET_CLASSES, ClassMap, Lesson, stretches, teachers_directory
from echonet_models.errors import ModelsError

FIELDS = (
    *("path", "label", "sublabel", "source", "commit", "original_path", "origin_id", "license"),
    *("license_class", "duration_s", "orig_sr", "fold", "hard_negative_for", "may_contain", "qc"),
    *("rms_dbfs", "peak_dbfs"),
)


def tone(frequency: float, seconds: float, generator: np.random.Generator) -> np.ndarray:
    """Return a beep in the middle of near-silence."""
    time = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    envelope = (time > seconds / 4) & (time < seconds * 3 / 4)
    return (
        0.3 * np.sin(2 * np.pi * frequency * time) * envelope + generator.normal(0, 1e-3, len(time))
    ).astype(np.float32)


@pytest.fixture(scope="session")
def teachers() -> Path:
    """The folder of the teachers' networks."""
    try:
        return teachers_directory()
    except ModelsError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def small_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten clips of five recordings a class from three sources, each class a pitch of its own; noise as the rest."""
    directory = tmp_path_factory.mktemp("data")
    generator = np.random.default_rng(0)
    rows = []
    for label in [*map(str, CLASSES), OTHER, BACKGROUND, UNLABELLED]:
        (directory / label).mkdir()
        for number in range(10):
            seconds = 12.0 if label in (BACKGROUND, UNLABELLED) else 2.0
            if label in (OTHER, BACKGROUND, UNLABELLED):
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
                source=f"source-{number // 2 % 3}",
                duration_s=str(seconds),
                hard_negative_for="dog" if label == OTHER and number < 4 else "",
            )
            row.update(origin_id=f"{label}-{number // 2}", license_class="open" if number % 4 else "unstated")
            rows.append(row)
    with (directory / "manifest.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, FIELDS)
        writer.writeheader()
        writer.writerows(rows)
    return directory


@pytest.fixture(scope="session")
def class_map() -> ClassMap:
    """A map in which AudioSet's first eight classes mean ours, and the next eight perhaps."""
    core = {name: [number] for number, name in enumerate(CLASSES)}
    weak = {name: [8 + number] for number, name in enumerate(CLASSES)}
    return ClassMap(core, weak, np.arange(AUDIOSET_CLASSES))


@pytest.fixture(scope="session")
def library(small_data: Path, class_map: ClassMap, tmp_path_factory: pytest.TempPathFactory) -> Library:
    """The small data set, opened; its teachers hear whose clip it is."""
    clips = read_manifest(small_data)
    recordings = open_recordings(small_data, clips, tmp_path_factory.mktemp("cache"))

    def lesson(clip: Clip) -> Lesson:
        starts = np.array(stretches(clip, recordings.length(clip.path)))
        logits = np.full((len(starts), AUDIOSET_CLASSES), -6, np.float32)
        if clip.sound_class is not None:
            logits[:, CLASSES.index(clip.sound_class)] = 2
        return Lesson(starts, logits)

    return Library(clips, recordings, {clip.path: lesson(clip) for clip in clips}, class_map)
