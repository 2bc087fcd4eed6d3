"""Cameras and radios by their address, and other programs by a pipe: heard, missed when they go, heard again."""

from collections.abc import Iterator
import os
from pathlib import Path
import subprocess
import sys
import time

import numpy as np
import pytest
import soundfile

from echonet_satellite import child, pipeline as pipeline_module
from echonet_satellite.audio import AudioError, Source, SourceKind
from echonet_satellite.audio.choice import choose_source
from echonet_satellite.audio.ffmpeg import open_stream
from echonet_satellite.audio.file import read_blocks
from echonet_satellite.frontend import Floats
from echonet_satellite.pipeline import Pipeline
from echonet_satellite.protocol import Problem
from echonet_satellite.source_config import SourceConfig
from tests.support.hearing import RATE, Ear, LoudnessClassifier, noise, settings
from tests.support.streams import StreamServer, stream_server

pytest.importorskip("av", reason="needs PyAV: pip install 'echonet-satellite[streams]'")


@pytest.fixture(params=["rtsp", "http"])
def server(request: pytest.FixtureRequest) -> Iterator[StreamServer]:
    """A camera, or a radio."""
    with stream_server(request.param) as running:
        yield running


def hear(source: Source, seconds: float) -> Floats:
    """Return so much of a source."""
    heard = np.zeros(0, np.float32)
    deadline = time.monotonic() + 60
    while len(heard) < seconds * RATE and time.monotonic() < deadline:
        if block := source.read(0.25):
            heard = np.concatenate((heard, block.samples))
    return heard


def test_a_camera_or_a_radio_is_heard(server: StreamServer) -> None:
    source = choose_source(SourceConfig(source=server.url))
    assert source.kind is SourceKind.STREAM
    source.open()
    try:
        heard = hear(source, 1.5)[RATE // 2 : RATE + RATE // 2]
    finally:
        source.close()
    assert np.abs(np.fft.rfft(heard)).argmax() == 1000
    # Whatever is said of it keeps the password to itself.
    assert "secret" not in source.name
    assert source.name.endswith("/live")


def test_a_stream_that_freezes_dies_and_comes_back_is_told_once_each_time(
    server: StreamServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(pipeline_module, "_RETRY_S", (0.2,))
    monkeypatch.setattr(pipeline_module, "_FROZEN_AFTER_S", 1.5)
    ear = Ear()
    source = choose_source(SourceConfig(source=server.url))
    pipeline = Pipeline(source, LoudnessClassifier(), settings(), ear)
    pipeline.watch(True)
    pipeline.start()
    try:
        ear.wait(lambda: bool(ear.levels))
        server.frozen.set()
        ear.wait(lambda: Problem.MICROPHONE_MISSING in ear.problems)
        server.frozen.clear()
        ear.wait(lambda: ear.problems == ())
        server.hang_up()
        ear.wait(lambda: server.served >= 3)
        ear.wait(lambda: ear.problems == ())
    finally:
        pipeline.stop()
        assert pipeline.join(20)
    assert "secret" not in caplog.text


def test_nobody_answers_at_an_address() -> None:
    with stream_server("http") as gone:
        url = gone.url
    source = choose_source(SourceConfig(source=url))
    source.open()
    try:
        with pytest.raises(AudioError, match=r"http://127\.0\.0\.1:\d+/live cannot be opened") as caught:
            hear(source, 0.1)
    finally:
        source.close()
    assert "secret" not in str(caught.value)


def test_another_program_sends_sound_through_a_pipe(tmp_path: Path) -> None:
    """It is heard at the pace of sound, and its end is told."""
    soundfile.write(tmp_path / "a.wav", noise(0.5), RATE)
    script = (
        "from echonet_satellite.audio.choice import choose_source\n"
        "from echonet_satellite.audio import SourceEnded\n"
        "from echonet_satellite.source_config import SourceConfig\n"
        "source = choose_source(SourceConfig(source='-'))\n"
        "source.open()\n"
        "count = 0\n"
        "try:\n"
        "    while True:\n"
        "        block = source.read(1.0)\n"
        "        count += len(block.samples) if block else 0\n"
        "except SourceEnded as err:\n"
        "    print(count, err)\n"
    )
    with (tmp_path / "a.wav").open("rb") as sound:
        done = subprocess.run(
            [sys.executable, "-c", script],
            stdin=sound,
            capture_output=True,
            check=True,
            env=child.environment() | {"HOME": os.environ.get("HOME", "/")},
        )
    assert done.stdout == b"8000 standard input is over\n"


def test_without_pyav_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(
        AudioError, match=r"needs PyAV, which is not installed: .*bin/python -m pip install av"
    ):
        open_stream("rtsp://camera/1")
    monkeypatch.setattr(sys, "prefix", "/opt/echonet-satellite")
    phone = tmp_path / "phone.m4a"
    phone.write_bytes(b"\0\0\0 ftypM4A " + bytes(100))
    with pytest.raises(AudioError, match=r"run sudo satellite/install.sh --streams"):
        next(read_blocks(phone))
