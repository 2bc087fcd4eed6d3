"""The command line as a person or systemd uses it: real processes, one line for each trouble, never a traceback."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
import json
import os
from pathlib import Path
import queue
import signal
import socket
import subprocess
import sys
import threading
from typing import Any
import wave

import aiohttp
import pytest

from echonet_satellite import __version__
from echonet_satellite.controllers import Controllers
from echonet_satellite.identity import load_or_create
from echonet_satellite.state import prepare_directory
from tests.support.wire import client, protocol

REPOSITORY = Path(__file__).parents[2]
MODEL = Path(os.environ.get("ECHONET_MODEL") or REPOSITORY / "models" / "released" / "echonet")

needs_model = pytest.mark.skipif(
    not (MODEL / "model.tflite").is_file(),
    reason=f"no model in {MODEL}: set ECHONET_MODEL to the folder of one",
)


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("XDG_", "STATE_", "CONF", "ECHONET_SATELLITE"))
    }
    return {**kept, "HOME": str(tmp_path), "PYTHONPATH": str(REPOSITORY / "satellite"), "COLUMNS": "200"}


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "echonet_satellite", *map(str, arguments)]


def once(environment: dict[str, str], *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments), capture_output=True, text=True, timeout=60, env=environment, check=False
    )


def assert_one_line(result: subprocess.CompletedProcess[str], *parts: str, status: int = 1) -> None:
    assert result.returncode == status, result.stderr
    assert result.stdout == ""
    assert result.stderr.startswith("echonet-satellite: error: ")
    assert result.stderr.count("\n") == 1, result.stderr
    for part in parts:
        assert part in result.stderr


class Running:
    """A satellite process, whose JSON lines are collected as they come."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.seen: list[dict[str, Any]] = []
        self._lines: queue.Queue[str] = queue.Queue()
        assert process.stdout is not None
        self._thread = threading.Thread(target=self._read, args=(process.stdout,), daemon=True)
        self._thread.start()

    def _read(self, stream: Any) -> None:
        for line in stream:
            self._lines.put(line)

    def event(self, name: str, wanted: Callable[[dict[str, Any]], bool] = lambda _: True) -> dict[str, Any]:
        """Wait for an event."""
        while True:
            found: dict[str, Any] = json.loads(self._lines.get(timeout=60))
            self.seen.append(found)
            if found["event"] == name and wanted(found):
                return found

    def stop(self) -> tuple[int, str]:
        self.process.send_signal(signal.SIGTERM)
        assert self.process.stderr is not None
        errors = self.process.stderr.read()
        status = self.process.wait(30)
        self._thread.join(10)
        while not self._lines.empty():
            self.seen.append(json.loads(self._lines.get()))
        return status, errors


@contextmanager
def running(environment: dict[str, str], *arguments: object) -> Iterator[Running]:
    with subprocess.Popen(
        command("run", "--source", "demo", "--model", MODEL, "--port", 0, "--events-json", *arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    ) as process:
        satellite = Running(process)
        try:
            yield satellite
        finally:
            process.kill()
            satellite._thread.join(10)


@asynccontextmanager
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as shared:
        yield shared


def test_version_and_help(environment: dict[str, str]) -> None:
    assert once(environment, "--version").stdout == f"echonet-satellite {__version__}\n"
    text = once(environment, "--help").stdout
    for name in ("run", "pair", "unpair", "devices", "classify", "examples:"):
        assert name in text
    for name in ("run", "pair", "unpair", "devices", "classify"):
        result = once(environment, name, "--help")
        assert result.returncode == 0
        assert "usage: " in result.stdout
    assert "--events-json" in once(environment, "run", "--help").stdout


@pytest.mark.parametrize("arguments", [[], ["walk"], ["run", "--prot", "1"], ["run", "--port", "x"]])
def test_wrong_usage(environment: dict[str, str], arguments: list[str]) -> None:
    result = once(environment, *arguments)
    assert result.returncode == 2
    assert "Traceback" not in result.stderr


def test_wrong_configuration(environment: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("prot = 1")
    for name in ("run", "pair"):
        assert_one_line(once(environment, name, "--config", path), str(path), "did you mean port?", status=2)
    assert_one_line(once(environment, "run", "--config", tmp_path / "no"), "--config", status=2)
    assert_one_line(once(environment, "run", "--port", 70000), "--port must be", status=2)
    assert_one_line(once(environment, "run", "--name", ""), "--name must be", status=2)


def test_no_satellite_is_running(environment: dict[str, str]) -> None:
    assert_one_line(once(environment, "pair"), "no satellite is running", "echonet-satellite run")


def test_unpair_needs_no_running_satellite(environment: dict[str, str], tmp_path: Path) -> None:
    """Whoever removes a satellite has stopped it before."""
    state = tmp_path / "state"
    assert once(environment, "unpair", "--state", state).stdout == "Nobody was paired.\n"
    state.mkdir(mode=0o700)
    Controllers(state / "controllers.json").issue("Home Assistant (Home)")
    clip = state / "clips" / f"20260101T000000000Z_dog_{'0' * 32}_1000ms_0ms_muted.flac"
    clip.parent.mkdir()
    clip.write_bytes(b"fLaC")

    result = once(environment, "unpair", "--state", state)

    assert (result.returncode, result.stdout) == (0, "Forgotten: Home Assistant (Home).\n"), result.stderr
    assert Controllers(state / "controllers.json").all == ()
    assert not clip.exists()


def test_the_configuration_with_its_origins(environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('name = "Hall"\n')
    environment["ECHONET_SATELLITE_KEEP_DAYS"] = "3"
    result = once(environment, "config", "--config", tmp_path / "config.toml", "--port", 9000)
    assert result.returncode == 0, result.stderr
    lines = {line.partition(" ")[0]: line for line in result.stdout.splitlines()}
    assert lines["name"].endswith(f"# {tmp_path / 'config.toml'}:1")
    assert lines["port"].split() == ["port", "=", "9000", "#", "--port"]
    assert lines["keep_days"].endswith("# $ECHONET_SATELLITE_KEEP_DAYS")
    assert lines["keep_detections"].endswith("# default")


def test_errors_in_json_for_a_collector_of_logs(environment: dict[str, str]) -> None:
    result = once(environment, "pair", "--log-format", "json")
    line = json.loads(result.stderr)
    assert result.returncode == 1
    assert line["level"] == "error"
    assert "no satellite is running" in line["message"]
    wrong = once(environment | {"ECHONET_SATELLITE_LOG_FORMAT": "json"}, "run", "--port", "x")
    assert "--port must be" in json.loads(wrong.stderr)["message"]


def test_the_doctor_is_kind_where_nothing_is_attached(environment: dict[str, str], tmp_path: Path) -> None:
    """Each line of trouble is followed by what to do; there is no traceback, and nothing of the sound library's."""
    result = once(environment, "doctor", "--state", tmp_path / "state")
    assert "Traceback" not in result.stdout + result.stderr
    assert result.stderr == ""
    for about in ("configuration", "sound", "model", "clock", "network", "disk", "satellite", "pairing"):
        assert f"  {about} " in result.stdout
    lines = result.stdout.splitlines()
    troubles = [number for number, line in enumerate(lines) if line.startswith(" TROUBLE")]
    assert result.returncode == (1 if troubles else 0)
    assert all("-> " in lines[number + 1] for number in troubles)
    assert "no Home Assistant is paired yet" in result.stdout

    wrong = once(environment, "doctor", "--state", tmp_path, "--source", "demo", "--model", tmp_path)
    assert wrong.returncode == 1
    assert "TROUBLE  model" in wrong.stdout


def test_a_state_directory_that_cannot_be_used(environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file", tmp_path / "file" / "below", "/proc/echonet"):
        assert_one_line(once(environment, "run", "--state", path), "--state")


def test_a_model_that_is_not_there(environment: dict[str, str], tmp_path: Path) -> None:
    assert_one_line(once(environment, "run", "--source", "demo", "--model", tmp_path), "--model")


@needs_model
def test_a_damaged_model(environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "model.json").write_bytes((MODEL / "model.json").read_bytes())
    (tmp_path / "model.tflite").write_bytes((MODEL / "model.tflite").read_bytes()[:-1] + b"?")
    assert_one_line(once(environment, "run", "--source", "demo", "--model", tmp_path), "damaged")


@needs_model
def test_a_source_that_cannot_be_used(environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "text.wav").write_text("no sound")
    for source in (tmp_path / "missing.wav", tmp_path / "text.wav", tmp_path):
        assert_one_line(once(environment, "run", "--model", MODEL, "--source", source), str(source))


@needs_model
def test_a_microphone_that_is_not_there_at_boot_is_told_and_waited_for(environment: dict[str, str]) -> None:
    """Home Assistant must be able to see why nothing is heard."""
    options = ("--source", "microphone", "--device", "no such microphone", "--no-announce")
    with running(environment, *options) as satellite:
        assert satellite.event("listening")["source"] == "the microphone 'no such microphone'"
        satellite.event("health", lambda found: "microphone_missing" in found["problems"])
        assert satellite.process.poll() is None
        status, errors = satellite.stop()
    assert status == 0
    assert errors.count("\n") == 1
    assert "no microphone" in errors
    assert "trying again until it is back" in errors


@needs_model
def test_several_rooms_are_heard_and_named(environment: dict[str, str], tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(
        '[[sources]]\nroom = "Kitchen"\nsource = "demo"\n'
        '[[sources]]\nroom = "Attic"\ndevice = "no such microphone"\n'
    )
    with subprocess.Popen(
        command("run", "--config", config, "--model", MODEL, "--port", 0, "--no-announce", "--events-json"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    ) as process:
        satellite = Running(process)
        try:
            assert "(Kitchen), the microphone 'no such" in satellite.event("listening")["source"]
            satellite.event("health", lambda found: "microphone_missing" in found["problems"])
            # Where one room is deaf, the other one is heard all the same.
            assert satellite.event("detection")["room"] == "Kitchen"
        finally:
            process.kill()


@needs_model
def test_a_port_that_is_taken(environment: dict[str, str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = once(environment, "run", "--source", "demo", "--model", MODEL, "--port", port)
    assert_one_line(result, f"port {port} is in use", "--port")


@needs_model
def test_a_damaged_identity(environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "state" / "identity").mkdir(parents=True)
    result = once(environment, "run", "--source", "demo", "--model", MODEL, "--state", tmp_path / "state")
    assert_one_line(result, "identity", "pair again")


async def hears_what_is_loud(connection: Any) -> None:
    """The microphone alone finds what is loud, though nobody watches its level."""
    async with asyncio.timeout(60):
        async for message in connection:
            if isinstance(message, protocol.LoudNoise):
                assert message.pulses is None
                assert message.peak_dbfs is not None
                assert message.peak_dbfs >= -15.0
                return


@needs_model
async def test_a_satellite_from_its_first_start_to_its_end(
    environment: dict[str, str], tmp_path: Path
) -> None:
    state = tmp_path / "a folder with a name that no Unix socket has room for" / ("x" * 60) / "state"
    options = ("--state", state, "--name", "Hall", "--no-announce")
    with running(environment, *options) as satellite:
        listening = satellite.event("listening")
        assert listening["name"] == "Hall"
        assert datetime.fromisoformat(listening["at"]).tzinfo is not None
        first_code = satellite.event("pairing")["code"]

        # A second one does not start in the same folder, and another code replaces the first.
        assert_one_line(
            once(environment, "run", "--source", "demo", "--model", MODEL, *options), "another satellite"
        )
        pairing = await asyncio.create_subprocess_exec(
            *command("pair", "--state", state), env=environment, stdout=asyncio.subprocess.PIPE
        )
        code = satellite.event("pairing")["code"]
        assert code != first_code
        async with session() as shared:
            address = ("127.0.0.1", listening["port"])
            with pytest.raises(client.InvalidCode):
                await client.async_pair(shared, *address, first_code, controller_name="Home")
            paired = await client.async_pair(shared, *address, code, controller_name="Home")
            assert paired.satellite_id == listening["satellite_id"]
            output, _ = await pairing.communicate()
            assert pairing.returncode == 0
            assert code in output.decode()
            assert output.decode().endswith("Paired.\n")
            assert satellite.event("paired")["controllers"] == ["Home"]

            connection = await client.async_connect(
                shared,
                *address,
                satellite_id=paired.satellite_id,
                fingerprint=paired.fingerprint,
                token=paired.token,
            )
            assert satellite.event("connected")["controller"] == "Home"
            await connection.send(protocol.Test(sound_class=protocol.SoundClass.ALARM))
            onset = satellite.event("onset")
            detection = satellite.event("detection")
            assert detection["id"] == onset["id"]
            assert detection["onset"] == onset["at"] <= detection["at"]
            assert (detection["sound_class"], detection["phase"], detection["test"]) == (
                "alarm",
                "start",
                True,
            )

            await hears_what_is_loud(connection)

            # Forgetting ends the connection, and the token is worth nothing any more.
            assert "Home" in once(environment, "unpair", "--state", state).stdout
            with pytest.raises(client.InvalidToken):
                async for _ in connection:
                    pass
            await connection.close()
        status, errors = satellite.stop()
        assert (status, errors) == (0, "")
        assert satellite.seen[-1]["event"] == "stopped"
    assert not (state / "command.sock").exists()

    # The next start knows itself again.
    with running(environment, *options) as satellite:
        assert satellite.event("listening")["satellite_id"] == listening["satellite_id"]
        (state / "command.sock").stat()
        assert (state / "command.sock").stat().st_mode & 0o777 == 0o600
        satellite.process.kill()
        satellite.process.wait(10)
    # What a kill leaves behind is in nobody's way.
    assert_one_line(once(environment, "pair", "--state", state), "no satellite is running")
    with running(environment, *options) as satellite:
        satellite.event("listening")
        assert satellite.stop() == (0, "")


@needs_model
def test_a_recording_that_is_over(environment: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "short.wav"
    with wave.open(str(path), "wb") as stream:
        stream.setparams((1, 2, 16000, 0, "NONE", ""))
        stream.writeframes(bytes(16000))
    with running(environment, "--source", path, "--no-announce") as satellite:
        satellite.event("source_ended")
        assert satellite.process.poll() is None  # it still serves what it has heard
        assert satellite.stop() == (0, "")


@needs_model
def test_what_a_person_reads(environment: dict[str, str]) -> None:
    with subprocess.Popen(
        command("run", "--source", "demo", "--model", MODEL, "--port", 0, "--name", "Hall", "--no-announce"),
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    ) as process:
        assert process.stdout is not None
        assert '"Hall" listens to ' in process.stdout.readline()
        assert "Pairing code: " in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.stdout.read().endswith("Stopped.\n")
        assert process.wait(30) == 0


@needs_model
def test_nothing_heavy_is_loaded(environment: dict[str, str]) -> None:
    """What training needs costs seconds and a hundred megabytes on a Pi; what a first start or files need, ten each."""
    state = Path(environment["HOME"]) / "state"
    prepare_directory(state)
    load_or_create(state)
    with running(
        {**environment, "PYTHONPROFILEIMPORTTIME": "1"}, "--no-announce", "--state", state
    ) as satellite:
        satellite.event("listening")
        status, errors = satellite.stop()
    assert status == 0
    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in errors.splitlines()}
    assert "numpy" in loaded
    assert not loaded & {"librosa", "scipy", "torch", "tensorflow", "matplotlib", "segno", "homeassistant"}
    assert not loaded & {"cryptography", "soundfile"}


def test_the_state_directory_of_systemd(environment: dict[str, str], tmp_path: Path) -> None:
    """`pair` looks where the service would."""
    named = {**environment, "STATE_DIRECTORY": f"{tmp_path / 'one'}:{tmp_path / 'two'}"}
    assert_one_line(
        once(named, "pair"), f"no satellite is running with the state directory {tmp_path / 'one'}:"
    )
