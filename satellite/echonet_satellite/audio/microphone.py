"""Microphones, through PortAudio. The callback only copies; everything else happens in the reader's thread."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
import threading
import time
from typing import Any, Final

import numpy as np
import soxr

from ..quiet import native_messages_hidden
from .source import (
    SAMPLE_RATE,
    AudioError,
    Block,
    DeviceBusyError,
    DeviceMissingError,
    SourceKind,
)

_BLOCK_S: Final = 0.08
_QUEUE_BLOCKS: Final = 50  # four seconds
NO_MICROPHONE: Final = (
    "no microphone was found: plug one in, and see that your user is in the group `audio` (then log in again)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MicrophoneInfo:
    """What PortAudio says of a device that can capture."""

    index: int
    name: str
    channels: int
    sample_rate: int
    is_default: bool


def list_microphones() -> list[MicrophoneInfo]:
    """Return the devices that can capture.

    Raises:
        AudioError: PyAudio is not installed.
    """
    audio = _portaudio()
    try:
        return _list(audio)
    finally:
        audio.terminate()


def choose(microphones: list[MicrophoneInfo], device: str | None) -> MicrophoneInfo:
    """Return the device of an index, or of a part of its name; without either, the default.

    Raises:
        DeviceMissingError: there is no such device; the text names those that there are.
    """
    if not microphones:
        raise DeviceMissingError(NO_MICROPHONE)
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
    raise DeviceMissingError(f"there is no microphone {device!r}; there are: {names}")


class Microphone:
    """Captures from one device at 16 kHz, or at the rate that the device has, and converts."""

    kind = SourceKind.MICROPHONE

    def __init__(self, device: str | None = None, *, queue_blocks: int = _QUEUE_BLOCKS) -> None:
        """Name a device by its index or a part of its name; None takes the default."""
        self._device = device
        self._capacity = queue_blocks
        self._queue: deque[tuple[float, bytes]] = deque()
        self._arrived = threading.Condition()
        self._dropped = 0
        self._audio: Any = None
        self._stream: Any = None
        self._name = "the microphone" if device is None else f"the microphone {device!r}"
        self._rate = SAMPLE_RATE
        self._channels = 1
        self._resampler: soxr.ResampleStream | None = None
        self._taken_s = 0.0
        self._given_s = 0.0

    @property
    def name(self) -> str:
        """What a person calls it."""
        return self._name

    @property
    def dropped_blocks(self) -> int:
        """How many blocks were lost since the microphone was made."""
        return self._dropped

    def open(self) -> None:
        """Start to capture; does nothing where the microphone is open.

        Raises:
            AudioError: there is no such device, it is taken, or it captures in no way that can be used.
        """
        if self._stream is not None:
            return
        # PortAudio looks for devices only when it starts, so each attempt starts it anew.
        self._audio = _portaudio()
        try:
            info = choose(_list(self._audio), self._device)
            self._name = f"the microphone {info.name!r}"
            self._start(info)
        except BaseException:
            self.close()
            raise

    def read(self, timeout: float) -> Block | None:
        """Return the next block, or None where none came in time."""
        with self._arrived:
            if not self._arrived.wait_for(lambda: bool(self._queue), timeout):
                if self._stream is None or not self._active():
                    raise DeviceMissingError(f"{self._name} has stopped; is it unplugged?")
                return None
            ended, data = self._queue.popleft()
        samples = np.frombuffer(data, np.float32)
        if self._channels > 1:
            samples = samples.reshape(-1, self._channels).mean(axis=1)
        self._taken_s += len(samples) / self._rate
        if self._resampler is not None:
            samples = self._resampler.resample_chunk(samples)
        # What the resampler has taken and not given yet is still to come.
        self._given_s += len(samples) / SAMPLE_RATE
        ended -= self._taken_s - self._given_s
        return Block(np.nan_to_num(samples), ended - len(samples) / SAMPLE_RATE)

    def close(self) -> None:
        """Stop to capture and let the device go."""
        stream, self._stream = self._stream, None
        audio, self._audio = self._audio, None
        try:
            with native_messages_hidden():
                if stream is not None:
                    stream.close()
                if audio is not None:
                    audio.terminate()
        except OSError:
            pass  # A device that has been unplugged cannot be closed in good order.
        self._queue.clear()

    def _active(self) -> bool:
        try:
            return bool(self._stream.is_active())
        except OSError:
            return False

    def _start(self, info: MicrophoneInfo) -> None:
        problem = ""
        # Many cards know only their own rate, and some I2S microphones only two channels.
        for rate, channels in dict.fromkeys(
            (rate, channels)
            for channels in (1, min(2, info.channels))
            for rate in (SAMPLE_RATE, info.sample_rate)
        ):
            self._rate, self._channels = rate, channels
            self._resampler = (
                None if rate == SAMPLE_RATE else soxr.ResampleStream(rate, SAMPLE_RATE, 1, dtype="float32")
            )
            self._taken_s = self._given_s = 0.0
            self._queue.clear()
            try:
                with native_messages_hidden():
                    self._stream = self._audio.open(
                        rate=rate,
                        channels=channels,
                        format=_FLOAT32,
                        input=True,
                        input_device_index=info.index,
                        frames_per_buffer=round(_BLOCK_S * rate),
                        stream_callback=self._captured,
                    )
            except (OSError, ValueError) as err:
                problem = str(err.args[-1] if err.args else err)
            else:
                return
        raise DeviceBusyError(
            f"{self._name} cannot be opened ({problem}): close the program that uses it, or choose another "
            "from `echonet-satellite devices`"
        )

    def _captured(
        self, data: bytes, frames: int, times: Mapping[str, float], status: int
    ) -> tuple[None, int]:
        """Take over a buffer, in PortAudio's own thread, which must never wait for long."""
        now = time.monotonic()
        behind = times["current_time"] - times["input_buffer_adc_time"]
        # Some drivers do not tell when a buffer was captured.
        if not 0 < behind < 1:
            behind = frames / self._rate
        with self._arrived:
            if len(self._queue) >= self._capacity:
                self._queue.popleft()
                self._dropped += 1
            if status & _INPUT_OVERFLOW:
                self._dropped += 1
            self._queue.append((now - behind + frames / self._rate, data))
            self._arrived.notify()
        return None, 0  # paContinue


_FLOAT32: Final = 1  # paFloat32
_INPUT_OVERFLOW: Final = 2  # paInputOverflow


def _portaudio() -> Any:
    try:
        import pyaudio  # noqa: PLC0415 - a native library that a satellite with another source does without
    except ImportError as err:
        raise AudioError(
            f"microphones need PyAudio, which cannot be loaded ({err}): install libportaudio2, then PyAudio"
        ) from None
    # ALSA writes pages about devices that the machine does not have.
    with native_messages_hidden():
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
