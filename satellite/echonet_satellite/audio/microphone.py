"""Microphones: named by index or a part of their name, and captured in a process of their own."""

from typing import Final

from ..capture.portaudio import NO_MICROPHONE, MicrophoneInfo
from ..capture.records import Kind
from ..channel import Blend, Channel
from .captured import CapturedSource, CaptureProcess
from .source import DeviceBusyError, SourceKind

__all__ = ["NO_MICROPHONE", "Microphone", "MicrophoneInfo", "list_microphones"]

_QUEUE_BLOCKS: Final = 50  # four seconds
_LIST_S: Final = 10.0


def list_microphones() -> list[MicrophoneInfo]:
    """Return the devices that can capture.

    Raises:
        AudioError: PyAudio is not installed, or the sound server does not answer.
    """
    process = CaptureProcess({"source": "devices", "name": "PortAudio"})
    try:
        record = process.read(_LIST_S)
    finally:
        process.end()
    if record is None or record.kind is not Kind.LIST:
        raise DeviceBusyError(
            f"the sound server has not answered for {_LIST_S:.0f} s: start it again (pulseaudio -k, or systemctl "
            "--user restart pipewire)"
        )
    return [MicrophoneInfo(**found) for found in record.data()["devices"]]


class Microphone(CapturedSource):
    """Captures from one device at 16 kHz, or at the rate that the device has, and converts."""

    def __init__(
        self,
        device: str | None = None,
        channel: Channel = Blend.LOUDEST,
        *,
        queue_blocks: int = _QUEUE_BLOCKS,
    ) -> None:
        """Name a device by its index or a part of its name; None takes the default."""
        name = "the microphone" if device is None else f"the microphone {device!r}"
        what = {
            "source": "microphone",
            "name": name,
            "device": device,
            "channel": channel if isinstance(channel, int) else 0,
            "queue_blocks": queue_blocks,
        }
        super().__init__(SourceKind.MICROPHONE, name, what, channel)
