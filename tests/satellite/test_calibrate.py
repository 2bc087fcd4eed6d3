"""`calibrate` as a person runs it, with gpiozero's mock pins for a Raspberry Pi and a recording for a microphone."""

import os
from pathlib import Path
import subprocess
import sys

import numpy as np
import pytest
import soundfile

from echonet_satellite.audio import SAMPLE_RATE

REPOSITORY = Path(__file__).parents[2]


def calibrate(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("XDG_", "ECHONET_SATELLITE"))
    }
    return subprocess.run(
        [sys.executable, "-m", "echonet_satellite", "calibrate", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**kept, "PYTHONPATH": str(REPOSITORY / "satellite"), **environment},
    )


@pytest.fixture
def quiet_room(tmp_path: Path) -> Path:
    """Ten seconds of noise, the peaks of which are at -50 dB below full scale."""
    noise = np.random.default_rng(1).uniform(-1, 1, 10 * SAMPLE_RATE) * 10 ** (-50 / 20)
    path = tmp_path / "room.flac"
    soundfile.write(path, noise, SAMPLE_RATE)
    return path


def test_the_noise_floor_and_what_to_write(quiet_room: Path) -> None:
    done = calibrate("--source", quiet_room, "--seconds", 3)
    assert done.returncode == 0, done.stderr
    assert "Noise floor -50.0 dBFS" in done.stdout
    assert "[sensor]\nloud_dbfs = -25" in done.stdout
    # In a pipe, a line is a line, and not many a second.
    assert "\r" not in done.stdout
    assert done.stdout.count("level") <= 4


def test_a_sensor_that_never_pulses_is_said(quiet_room: Path) -> None:
    done = calibrate(
        *("--source", quiet_room, "--seconds", 1.5, "--sensor-pin", 17), GPIOZERO_PIN_FACTORY="mock"
    )
    assert done.returncode == 0, done.stderr
    assert "pulses     0" in done.stdout
    assert "The sensor has not pulsed: turn the potentiometer the other way" in done.stdout


def test_a_sensor_that_cannot_be_read_is_one_line(quiet_room: Path) -> None:
    done = calibrate("--source", quiet_room, "--sensor-pin", 17, GPIOZERO_PIN_FACTORY="nonsense")
    assert done.returncode == 1
    assert "the sound sensor on GPIO17 cannot be read" in done.stderr
    assert done.stderr.count("\n") == 1


def test_the_doctor_looks_at_the_sensor() -> None:
    """With a mock in place of the pins it is fine; without GPIO it says what to do."""
    for factory, expected in (("mock", "fine  sound sensor"), ("nonsense", "hint  sound sensor")):
        done = subprocess.run(
            [sys.executable, "-m", "echonet_satellite", "doctor", "--source", "demo", "--sensor-pin", "17"],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY / "satellite"), "GPIOZERO_PIN_FACTORY": factory},
        )
        assert expected in done.stdout, done.stdout + done.stderr
