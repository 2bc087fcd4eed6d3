"""The sound of a camera or a radio, from its address."""

import time
from typing import Final

from ..audio.ffmpeg import open_stream, shown_url
from ..audio.source import AudioError, DamagedError
from .errors import CaptureError, ErrorKind
from .records import Kind, RecordWriter

_BLOCK_S: Final = 0.08
# A server may begin with what it has kept of the last seconds; who sends more than that sends a recording.
_AHEAD_S: Final = 10.0


def capture(writer: RecordWriter, url: str) -> None:
    """Write what a stream sends, until it ends.

    Raises:
        CaptureError: nobody answers, or it has ended.
    """
    name = shown_url(url)
    try:
        recording = open_stream(url)
        writer.tell(Kind.OPENED, name=name, rate=recording.rate, channels=recording.channels)
        begun = time.monotonic()
        given_s = 0.0
        while len(samples := recording.read(max(1, round(_BLOCK_S * recording.rate)))):
            now = time.monotonic()
            given_s += len(samples) / recording.rate
            writer.sound(samples.tobytes(), now, 0)
            time.sleep(max(0.0, given_s - _AHEAD_S - (now - begun)))
    except (AudioError, DamagedError) as err:
        raise CaptureError(
            ErrorKind.MISSING, str(err) if isinstance(err, AudioError) else f"{name}: {err}"
        ) from None
    raise CaptureError(ErrorKind.MISSING, f"{name} has ended")
