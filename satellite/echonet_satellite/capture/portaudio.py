"""Microphones, through PortAudio. Its callback only copies; the process writes what it copied."""

from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass
import threading
import time
from typing import Any, Final

from .errors import CaptureError, ErrorKind
from .records import Kind, RecordWriter

RATE: Final = 16_000
BLOCK_S: Final = 0.08
NO_MICROPHONE: Final = (
    "no microphone was found: plug one in, and see that your user is in the group `audio` (then log in again)"
)
# A sound server claims any number of channels; what is a microphone array has up to eight.
_MOST_CHANNELS: Final = 8
_FLOAT32: Final = 1  # paFloat32
_INPUT_OVERFLOW: Final = 2  # paInputOverflow
_LOOK_S: Final = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class MicrophoneInfo:
    """What PortAudio says of a device that can capture."""

    index: int
    name: str
    channels: int
    sample_rate: int
    is_default: bool


def choose(microphones: list[MicrophoneInfo], device: str | None) -> MicrophoneInfo:
    """Return the device of an index, or of a part of its name; without either, the default.

    Raises:
        CaptureError: there is no such device; the text names those that there are.
    """
    if not microphones:
        raise CaptureError(ErrorKind.MISSING, NO_MICROPHONE)
    if device is None:
        return next((found for found in microphones if found.is_default), microphones[0])
    wanted = device.strip().casefold()
    for found in microphones:
        if wanted in (str(found.index), found.name.casefold()):
            return found
    for found in microphones:
        if wanted and not wanted.isdecimal() and wanted in found.name.casefold():
            return found
    names = ", ".join(f"{found.index} ({found.name})" for found in microphones)
    raise CaptureError(ErrorKind.MISSING, f"there is no microphone {device!r}; there are: {names}")


def tell_devices(writer: RecordWriter) -> None:
    """Write which devices can capture."""
    audio = _portaudio()
    writer.tell(Kind.LIST, devices=[asdict(found) for found in _list(audio)])
    audio.terminate()


def capture(writer: RecordWriter, device: str | None, channel: int, queue_blocks: int) -> None:
    """Write what a microphone captures, until it is gone; `channel` is the one that is wanted, or 0 for all.

    Raises:
        CaptureError: there is no such device, it is taken, or it has stopped.
    """
    audio = _portaudio()
    info = choose(_list(audio), device)
    name = f"the microphone {info.name!r}"
    if channel > info.channels:
        have = "one channel" if info.channels == 1 else f"{info.channels} channels"
        raise CaptureError(ErrorKind.CHANNEL, f"{name} has no channel {channel}: it has {have}")
    queue = _Queue(queue_blocks)
    rate, channels, stream = _start(audio, info, channel, queue, name)
    writer.tell(Kind.OPENED, name=name, rate=rate, channels=channels)
    while True:
        block = queue.take(_LOOK_S)
        if block is not None:
            writer.sound(*block)
        elif not _active(stream):
            raise CaptureError(ErrorKind.MISSING, f"{name} has stopped; is it unplugged?")


class _Queue:
    """What was captured and is not written yet; the oldest is dropped where that takes too long."""

    def __init__(self, capacity: int) -> None:
        self.rate = RATE
        self._capacity = capacity
        self._blocks: deque[tuple[bytes, float]] = deque()
        self._arrived = threading.Condition()
        self._dropped = 0

    def captured(self, data: bytes, frames: int, times: Mapping[str, float], status: int) -> tuple[None, int]:
        """Take over a buffer, in PortAudio's own thread, which must never wait for long."""
        now = time.monotonic()
        behind = times["current_time"] - times["input_buffer_adc_time"]
        # Some drivers do not tell when a buffer was captured.
        if not 0 < behind < 1:
            behind = frames / self.rate
        with self._arrived:
            if len(self._blocks) >= self._capacity:
                self._blocks.popleft()
                self._dropped += 1
            if status & _INPUT_OVERFLOW:
                self._dropped += 1
            self._blocks.append((data, now - behind + frames / self.rate))
            self._arrived.notify()
        return None, 0  # paContinue

    def take(self, timeout: float) -> tuple[bytes, float, int] | None:
        """Return the next buffer, when its last sample was captured, and how many were lost so far."""
        with self._arrived:
            if not self._arrived.wait_for(lambda: bool(self._blocks), timeout):
                return None
            return *self._blocks.popleft(), self._dropped


def _start(audio: Any, info: MicrophoneInfo, channel: int, queue: _Queue, name: str) -> tuple[int, int, Any]:
    problem = ""
    # All channels, so that none is deaf: an I2S microphone may sit on the second one, another on the fourth of an
    # array. Many cards know only their own rate, and some only one number of channels.
    most = max(channel, min(info.channels, _MOST_CHANNELS))
    for rate, channels in dict.fromkeys(
        (rate, channels)
        for channels in (most, info.channels, min(2, info.channels), 1)
        if channels >= channel
        for rate in (RATE, info.sample_rate)
    ):
        queue.rate = rate
        try:
            return (
                rate,
                channels,
                audio.open(
                    rate=rate,
                    channels=channels,
                    format=_FLOAT32,
                    input=True,
                    input_device_index=info.index,
                    frames_per_buffer=round(BLOCK_S * rate),
                    stream_callback=queue.captured,
                ),
            )
        except (OSError, ValueError) as err:
            problem = str(err.args[-1] if err.args else err)
    raise CaptureError(
        ErrorKind.BUSY,
        f"{name} cannot be opened ({problem}): close the program that uses it, or choose another from "
        "`echonet-satellite devices`",
    )


def _active(stream: Any) -> bool:
    try:
        return bool(stream.is_active())
    except OSError:
        return False


def _portaudio() -> Any:
    try:
        import pyaudio  # noqa: PLC0415 - a native library that a satellite with another source does without
    except ImportError as err:
        raise CaptureError(
            ErrorKind.FAILED,
            f"microphones need PyAudio, which cannot be loaded ({err}): install libportaudio2, then PyAudio",
        ) from None
    return pyaudio.PyAudio()


def _list(audio: Any) -> list[MicrophoneInfo]:
    try:
        default = int(audio.get_default_input_device_info()["index"])
    except OSError:
        default = -1
    infos = [audio.get_device_info_by_index(index) for index in range(audio.get_device_count())]
    return [
        MicrophoneInfo(
            index=int(info["index"]),
            name=str(info["name"]),
            channels=int(info["maxInputChannels"]),
            sample_rate=int(info["defaultSampleRate"]),
            is_default=info["index"] == default,
        )
        for info in infos
        if info["maxInputChannels"] > 0
    ]
