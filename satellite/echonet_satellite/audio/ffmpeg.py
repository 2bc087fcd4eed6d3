"""Whatever FFmpeg can read, through PyAV: the recordings of phones, and the streams of cameras and radios."""

from collections.abc import Generator
from contextlib import suppress
from io import RawIOBase
import os
from pathlib import Path
import sys
from typing import Any, Final
from urllib.parse import urlsplit

import numpy as np

from ..frontend import Floats
from ..hardware import SERVICE_PROGRAM
from .source import AudioError, DamagedError, DeviceMissingError

# A recording is only what is in its file: it must not name other files, or addresses, to be read.
_RECORDINGS: Final = (
    "aac,ac3,aiff,amr,amrnb,amrwb,ape,asf,au,avi,caf,eac3,flac,flv,matroska,webm,mov,mp4,m4a,3gp,3g2,mj2,"
    "mp3,mpeg,mpegts,ogg,tta,w64,wav,wv"
)
# A server that takes longer to answer, or says nothing for so long, has gone.
CONNECT_S: Final = 10.0
SILENCE_S: Final = 5.0


class FfmpegRecording:
    """The first sound track of a file or stream, read from its start to its end."""

    def __init__(self, container: Any, name: str) -> None:
        """Begin with an open container.

        Raises:
            AudioError: there is no sound in it.
        """
        self._container = container
        self._resampler: Any = None
        self._decoded = _decode(container, name)
        first = next(self._decoded, None)
        if first is None:
            raise AudioError(f"{name} has no sound in it")
        self.rate = int(first.sample_rate)
        self.channels = int(first.layout.nb_channels)
        self._layout = first.layout
        self._rest = np.zeros((0, self.channels), np.float32)
        self._rest = self._converted(first)

    def read(self, frames: int) -> Floats:
        """Return the next frames; fewer only at the end."""
        pieces = [self._rest]
        have = len(self._rest)
        while have < frames and (frame := next(self._decoded, None)) is not None:
            pieces.append(self._converted(frame))
            have += len(pieces[-1])
        samples = np.concatenate(pieces)
        self._rest = samples[frames:]
        return samples[:frames]

    def close(self) -> None:
        """Let it go."""
        self._decoded.close()
        self._container.close()

    def _converted(self, frame: Any) -> Floats:
        """Return a frame as the first one was: a camera may change its mind about the rate."""
        import av  # noqa: PLC0415 - loaded already

        for _ in range(2):
            if self._resampler is None:
                self._resampler = av.AudioResampler(format="flt", layout=self._layout, rate=self.rate)
            try:
                parts = self._resampler.resample(frame)
            except ValueError:
                self._resampler = None
            else:
                return np.concatenate(
                    [part.to_ndarray().reshape(-1, self.channels) for part in parts]
                    or [np.zeros((0, self.channels), np.float32)]
                )
        raise DamagedError("its sound changes in a way that cannot be followed")


def open_recording(path: Path, name: str) -> FfmpegRecording:
    """Open a file, for which libsndfile is not enough.

    Raises:
        AudioError: FFmpeg cannot read it either, or is not there.
    """
    options = {"format_whitelist": _RECORDINGS, "protocol_whitelist": "file"}
    try:
        str(path).encode()
    except UnicodeEncodeError:
        # A name that is not UTF-8 means nothing to FFmpeg.
        return _open(path.open("rb", buffering=0), name, options, timeout=None)
    return _open(str(path), name, options, timeout=None)


def open_pipe(descriptor: int, name: str) -> FfmpegRecording:
    """Open what comes through a pipe.

    Raises:
        AudioError: FFmpeg cannot read it, or is not there.
    """
    pipe = os.fdopen(descriptor, "rb", buffering=0)
    try:
        return _open(pipe, name, {"format_whitelist": _RECORDINGS}, timeout=None)
    except AudioError as err:
        pipe.close()
        raise type(err)(f"{err}; some formats can only be read from a file: save it as one") from None


def open_stream(url: str) -> FfmpegRecording:
    """Open a stream by its address.

    Raises:
        AudioError: nobody answers, there is no sound in it, or PyAV is not there.
    """
    # By TCP every packet of a camera arrives; by UDP the loss of a few is a hole in the sound.
    options = {"rtsp_transport": "tcp"} if url.casefold().startswith("rtsp") else {}
    return _open(url, shown_url(url), options, timeout=(CONNECT_S, SILENCE_S))


def how_to_install(prefix: Path) -> str:
    """Return what to type for PyAV in the Python environment at `prefix`."""
    if prefix == SERVICE_PROGRAM:
        return "in the folder of EchoNet, run sudo satellite/install.sh --streams"
    return f"{prefix}/bin/python -m pip install av"


def is_url(text: str) -> bool:
    """Return whether a source is an address."""
    return "://" in text


def shown_url(url: str) -> str:
    """Return an address for a person: without the password that may be in it, nor what may be a key."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _open(
    source: str | RawIOBase,
    name: str,
    options: dict[str, str],
    timeout: tuple[float, float] | None,
) -> FfmpegRecording:
    try:
        import av  # noqa: PLC0415 - large, and needed by few
    except ImportError:
        raise AudioError(
            f"{name} needs PyAV, which is not installed: {how_to_install(Path(sys.prefix))}"
        ) from None
    av.logging.set_level(None)
    try:
        container = av.open(source, mode="r", options=options, timeout=timeout)
    except (av.FFmpegError, ValueError, OSError) as err:
        raise DeviceMissingError(f"{name} cannot be opened: {_reason(err)}") from None
    try:
        return FfmpegRecording(container, name)
    except DamagedError as err:
        container.close()
        raise DeviceMissingError(f"{name} cannot be read: {err}") from None
    except BaseException:
        container.close()
        raise


def _decode(container: Any, name: str) -> Generator[Any]:
    """Yield the frames of the first sound track; a damaged packet costs what is in it, and no more."""
    import av  # noqa: PLC0415 - loaded already

    if not container.streams.audio:
        raise AudioError(f"{name} has no sound in it")
    packets = container.demux(container.streams.audio[0])
    while True:
        try:
            packet = next(packets)
        except (StopIteration, av.EOFError):
            return
        except (av.FFmpegError, OSError) as err:
            raise DamagedError(_reason(err)) from None
        with suppress(av.InvalidDataError):
            yield from packet.decode()


def _reason(err: Exception) -> str:
    text = getattr(err, "strerror", None) or str(err) or type(err).__name__
    return str(text).strip().rstrip(".").lower()
