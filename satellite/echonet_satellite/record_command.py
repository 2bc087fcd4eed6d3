"""`echonet-satellite record FILE`: records what the satellite would hear, trimmed, split, filtered as asked."""

import argparse
from datetime import UTC, datetime
import math
import os
from pathlib import Path
import time
from typing import TYPE_CHECKING, Final

import numpy as np
import soundfile

from .audio import SAMPLE_RATE, SourceEnded
from .errors import ConfigError, EchonetError
from .location import locate
from .options import configuration
from .recording import band, normalised, sounds, trimmed
from .state import FILE_MODE

if TYPE_CHECKING:
    from .audio import Source
    from .frontend import Floats

# Half an hour is 110 MB of memory; whatever is longer is recorded in pieces.
LONGEST_S: Final = 1800.0
_READ_S: Final = 0.25
_SILENT_S: Final = 10.0
_FORMATS: Final = {".flac": "FLAC", ".wav": "WAV"}
_HIGHEST_HZ: Final = SAMPLE_RATE / 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `record`."""
    parser.add_argument("file", type=Path, metavar="FILE", help="a .flac or .wav file, which is made")
    parser.add_argument("--seconds", type=float, default=10.0, help="for how long (default: 10; Ctrl-C ends)")
    parser.add_argument(
        "--trim", action="store_true", help="leave out the quiet at the beginning and the end"
    )
    parser.add_argument(
        "--split", action="store_true", help="write each sound to a file of its own: FILE-1, FILE-2, ..."
    )
    parser.add_argument(
        "--normalise", action="store_true", help="make the loudest sample 1 dB below full scale"
    )
    parser.add_argument("--high-pass", type=float, metavar="HZ", help="leave out what is lower")
    parser.add_argument("--low-pass", type=float, metavar="HZ", help="leave out what is higher")
    parser.add_argument(
        "--with-location", action="store_true", help="write the place of the satellite into the file"
    )
    parser.add_argument("--force", action="store_true", help="write over files that are there")


def run(args: argparse.Namespace) -> int:
    """Record, and return the exit status.

    Raises:
        ConfigError: an option cannot be.
        EchonetError: nothing can be recorded or written.
    """
    from .audio.choice import choose_source  # noqa: PLC0415 - PortAudio only once all options are known to fit

    config = configuration(args)
    _check(args)
    place = locate(config)[1] if args.with_location else None
    if args.with_location and place is None:
        raise ConfigError("no location is configured: set it with --latitude and --longitude")
    began = datetime.now(UTC)
    samples = _record(choose_source(config.all_sources[0]), args.seconds)
    if args.high_pass is not None or args.low_pass is not None:
        samples = band(samples, low_hz=args.high_pass, high_hz=args.low_pass)
    pieces = [samples[first:last] for first, last in sounds(samples)] if args.split else [samples]
    if args.trim and not args.split:
        pieces = [trimmed(samples)]
    if not pieces:
        raise EchonetError("nothing but quiet was heard, so there is no sound to write")
    comment = "" if place is None else f"latitude={place.latitude} longitude={place.longitude}"
    for path, piece in zip(_paths(args.file, len(pieces) if args.split else 0), pieces, strict=True):
        _write(path, normalised(piece) if args.normalise else piece, began, comment, force=args.force)
        print(f"{path}  {len(piece) / SAMPLE_RATE:.1f} s")
    return 0


def _check(args: argparse.Namespace) -> None:
    if args.file.suffix.lower() not in _FORMATS:
        raise ConfigError(f"{args.file} must end in .flac or .wav")
    if not 0 < args.seconds <= LONGEST_S:
        raise ConfigError(f"--seconds must be above 0 and at most {LONGEST_S:g}, not {args.seconds:g}")
    edges = {"--high-pass": args.high_pass, "--low-pass": args.low_pass}
    for name, edge in edges.items():
        if edge is not None and not (math.isfinite(edge) and 0 < edge < _HIGHEST_HZ):
            raise ConfigError(f"{name} must be between 0 and {_HIGHEST_HZ:g} Hz, not {edge:g}")
    if args.high_pass is not None and args.low_pass is not None and args.high_pass >= args.low_pass:
        raise ConfigError("--high-pass must be below --low-pass: between the two is what stays")
    if not args.force and args.file.exists():
        raise EchonetError(f"{args.file} is there already: choose another name, or add --force")


def _record(source: "Source", seconds: float) -> "Floats":
    """Return what is heard in so many seconds, or until the recording is over or Ctrl-C is pressed."""
    blocks: list[Floats] = []
    left = round(seconds * SAMPLE_RATE)
    last = time.monotonic()
    source.open()
    try:
        while left > 0:
            block = source.read(_READ_S)
            if block is not None and len(block.samples):
                blocks.append(block.samples[:left])
                left -= len(blocks[-1])
                last = time.monotonic()
            elif time.monotonic() - last > _SILENT_S:
                raise EchonetError(f"{source.name} gives no sound: see `echonet-satellite doctor`")
    except (SourceEnded, KeyboardInterrupt):
        pass  # What was heard is what was wanted.
    finally:
        source.close()
    if not blocks:
        raise EchonetError(f"{source.name} gave no sound, so nothing is written")
    return np.concatenate(blocks)


def _paths(path: Path, count: int) -> list[Path]:
    if count == 0:
        return [path]
    digits = len(str(count))
    return [path.with_stem(f"{path.stem}-{number:0{digits}}") for number in range(1, count + 1)]


def _write(path: Path, samples: "Floats", began: datetime, comment: str, *, force: bool) -> None:
    if not force and path.exists():
        raise EchonetError(f"{path} is there already: choose another name, or add --force")
    kind = _FORMATS[path.suffix.lower()]
    try:
        # What was said in a room is read by whoever recorded it, until that person says otherwise.
        path.touch(mode=FILE_MODE)
        with soundfile.SoundFile(
            os.fsencode(path), "w", SAMPLE_RATE, 1, format=kind, subtype="PCM_16"
        ) as file:
            file.date = began.isoformat(timespec="seconds")
            if comment:
                file.comment = comment
            file.write(np.clip(samples, -1.0, 1.0))
    except soundfile.LibsndfileError as err:
        raise EchonetError(f"cannot write {path}: {str(err.error_string).strip()}") from None
    except OSError as err:
        raise EchonetError(f"cannot write {path}: {err.strerror}") from None
