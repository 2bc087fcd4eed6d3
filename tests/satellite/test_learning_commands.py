"""The commands `teach` and `labels`."""

from collections.abc import Callable
import csv
from datetime import UTC, datetime
import os
from pathlib import Path
import subprocess
import sys

import numpy as np
import pytest
import soundfile

from echonet_satellite.cli import main
from echonet_satellite.journal import Journal
from echonet_satellite.protocol import Detection, Phase, SoundClass, Verdict
from echonet_satellite.state import prepare_directory
from tests.support.learning import embeddings, learner_in

REPOSITORY = Path(__file__).parents[2]


def command(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a command as a person does."""
    environment = os.environ | {"PYTHONPATH": str(REPOSITORY / "satellite")}
    return subprocess.run(
        [sys.executable, "-m", "echonet_satellite", *map(str, arguments)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_a_sound_is_taught_from_recordings_on_the_command_line(
    recording: Callable[[str], Path], tmp_path: Path
) -> None:
    bell = recording("other/AntumMT__mod-sounds/doorbell_03__sounds_doorbell_03_fd9dd5.opus")
    silent, state = tmp_path / "silent.wav", tmp_path / "state"
    soundfile.write(silent, np.zeros(16_000, np.float32), 16_000)
    none = tmp_path / "none.wav"
    first = command("teach", "--state", state, "My doorbell", none, bell, silent)
    assert first.returncode == 1
    # One file that cannot be read does not keep the others from being taught.
    assert first.stderr == f"echonet-satellite: {none} does not exist: check its name\n"
    assert "learned as recording 1 of My doorbell" in first.stdout
    assert "nothing is to be heard in it" in first.stdout
    assert "once there are 3 recordings" in first.stdout
    second = command("teach", "--state", state, "my  doorbell", bell, bell)
    assert second.returncode == 0, second.stderr
    assert "learned as recording 3" in second.stdout
    assert "once there are" not in second.stdout
    assert "note:" not in second.stdout
    assert "knows it when it starts" in second.stdout
    listed = command("teach", "--state", state)
    assert listed.stdout == "My doorbell: recordings: 3, recognised\n"
    kept = command("teach", "--state", state, "MY DOORBELL", "--export", tmp_path / "kept")
    assert kept.returncode == 0, kept.stderr
    ringing, rate = soundfile.read(tmp_path / "kept" / "3.wav")
    assert rate == 16_000
    assert np.abs(ringing).max() > 0.01
    again = command("teach", "--state", state, "my doorbell", "--export", tmp_path / "kept")
    assert again.stderr.endswith("is not empty: name a new folder\n")
    gone = command("teach", "--state", state, "my doorbell", "--forget")
    assert "is forgotten" in gone.stdout
    unknown = command("teach", "--state", state, "my doorbell", "--forget")
    assert unknown.stderr == "echonet-satellite: error: my doorbell was not taught; what was: nothing\n"
    assert "Nothing was taught yet" in command("teach", "--state", state).stdout


def test_a_dog_and_a_second_sound_of_the_same_name_are_said_to_be_that(
    recording: Callable[[str], Path], tmp_path: Path
) -> None:
    bell = recording("other/AntumMT__mod-sounds/doorbell_03__sounds_doorbell_03_fd9dd5.opus")
    dog = recording("dog/karolpiczak__ESC-10/dog_bark__1-110389-A_1a1223.opus")
    said = command("teach", "--state", tmp_path / "state", "My dog", dog, bell)
    assert said.returncode == 0, said.stderr
    notes = [line for line in said.stdout.splitlines() if "note:" in line]
    assert ["already, as dog" in notes[0], "unlike the recordings before it" in notes[1]] == [True, True]


def test_a_sound_needs_a_name_and_a_recording(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    state = ["--state", str(tmp_path / "state")]
    assert main(["teach", *state, "\x07", "bell.wav"]) == 2
    assert main(["teach", *state, "bell"]) == 2
    assert main(["teach", *state, "--forget"]) == 2
    assert main(["teach", *state, "bell", str(tmp_path / "none.wav")]) == 1
    assert "does not exist" in capfd.readouterr().err


def test_verdicts_are_exported_with_what_they_sounded_like_and_their_clips(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    state, folder = tmp_path / "state", tmp_path / "labels"
    prepare_directory(state)
    assert main(["labels", "--state", str(state), str(folder)]) == 1
    journal, learner = Journal(state / "journal.sqlite3"), learner_in(state)
    name = "a" * 32
    for phase in (Phase.START, Phase.END):
        journal.append(detection(name, phase))
    learner.keep(Judged(name))
    journal.label(name, Verdict.FALSE_ALARM)
    journal.close()
    learner.close()
    (state / "clips").mkdir()
    (state / "clips" / f"20260101T000000000Z_dog_{name}_5000ms_10000ms.flac").write_bytes(b"fLaC")
    assert main(["labels", "--state", str(state), str(folder)]) == 0
    assert "1 verdicts, of 1 what they sounded like, 1 clips" in capfd.readouterr().out
    (row,) = csv.DictReader((folder / "labels.csv").open(encoding="utf-8"))
    assert (row["detection_id"], row["sound_class"], row["verdict"]) == (name, "dog", "false_alarm")
    assert row["duration_s"] == "2.5"
    assert (folder / row["clip"]).read_bytes() == b"fLaC"
    with np.load(folder / "embeddings.npz") as stored:
        assert stored[name].shape == embeddings(1).shape
    assert main(["labels", "--state", str(state), str(folder)]) == 1
    assert "not empty" in capfd.readouterr().err


class Judged:
    """A detection as the pipeline tells of it."""

    sound_class = SoundClass.DOG
    phase = Phase.END
    pattern = None
    embeddings = embeddings(1)

    def __init__(self, name: str) -> None:
        self.id = name


def detection(name: str, phase: Phase) -> Detection:
    return Detection(
        id=name,
        sequence=1,
        sound_class=SoundClass.DOG,
        phase=phase,
        onset=datetime(2026, 1, 1, tzinfo=UTC),
        confidence=0.9,
        peak_dbfs=-12.0,
        duration_s=2.5 if phase is Phase.END else 0.0,
    )
