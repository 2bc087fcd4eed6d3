"""The folder of clips: what is in it, for how long, and how it heals. The names of the files are all that it knows."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
import logging
import os
from pathlib import Path
import re
import shutil
import threading
import time
from typing import Final

from ..errors import ClipError
from ..protocol import Clip, ClipSettings, SoundClass
from ..state import DIRECTORY_MODE, FILE_MODE, make_private, set_aside

_LOGGER = logging.getLogger(__name__)

MAX_CLIPS: Final = 2000
# The journal needs room more than any clip does.
RESERVE_BYTES: Final = 64 << 20
_MB: Final = 1 << 20
_FLAC: Final = b"fLaC"
_NAME: Final = re.compile(r"(\d{8}T\d{9})Z_([a-z_]{1,40})_([0-9a-f]{32})_(\d{1,6})ms_(\d{1,6})ms_muted\.flac")
_ID: Final = re.compile(r"[0-9a-f]{32}")
_NEW: Final = ".new"
# A clock that jumps by more than this was set.
_CLOCK_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class _Entry:
    path: Path
    clip: Clip
    written: float  # seconds since 1970, by the clock of that moment

    @property
    def picture(self) -> Path:
        return self.path.with_suffix(".png")


class ClipStore:
    """Clips on the disk; safe to use from several threads, and never from the one that hears."""

    def __init__(self, folder: Path) -> None:
        """Keep clips in `folder`, which need not be there yet."""
        self._folder = folder
        self._lock = threading.Lock()
        self._generation = 0
        self._written: dict[str, float] = {}  # monotonic times of the clips of this run

    def clips(self) -> list[Clip]:
        """Return what is kept, the newest first."""
        with self._lock:
            return [entry.clip for entry in self._entries()]

    def sound(self, detection_id: str) -> bytes | None:
        """Return a clip as FLAC."""
        with self._lock:
            entry = self._find(detection_id)
        try:
            return entry.path.read_bytes() if entry else None
        except OSError:
            return None

    def picture(self, detection_id: str) -> bytes | None:
        """Return the spectrogram of a clip as PNG, drawn anew where it has been lost."""
        with self._lock:
            entry = self._find(detection_id)
        if entry is None:
            return None
        try:
            if data := entry.picture.read_bytes():
                return data
        except OSError:
            pass
        return _drawn(entry.path)

    def delete(self, detection_id: str) -> bool:
        """Delete one clip; False where there is none.

        Raises:
            ClipError: the disk refuses.
        """
        with self._lock:
            entry = self._find(detection_id)
            if entry is not None:
                _remove(entry)
        return entry is not None

    def delete_all(self) -> int:
        """Delete all clips, also one that is just being written, and return how many there were.

        Raises:
            ClipError: the disk refuses.
        """
        with self._lock:
            self._generation += 1
            entries = list(self._entries())
            for entry in entries:
                _remove(entry)
            self._remove_leftovers()
        return len(entries)

    def begin(self) -> tuple[Path, Path, int]:
        """Return where sound and picture of a new clip are to be written, and what `adopt` wants to know.

        Raises:
            ClipError: the folder cannot be used, or the disk has no room.
        """
        with self._lock:
            try:
                if self._folder.exists() and not self._folder.is_dir():
                    _LOGGER.warning(
                        "The folder of clips was a file, which is now %s", set_aside(self._folder)
                    )
                self._folder.mkdir(mode=DIRECTORY_MODE, parents=True, exist_ok=True)
                make_private(self._folder, DIRECTORY_MODE)
                self._make_room()
                names = [self._folder / f".{kind}{_NEW}" for kind in ("flac", "png")]
                for name in names:
                    name.unlink(missing_ok=True)
                    name.touch(mode=FILE_MODE, exist_ok=False)
            except OSError as err:
                raise ClipError(f"{self._folder} cannot be used: {err.strerror}") from None
            return names[0], names[1], self._generation

    def adopt(self, sound: Path, picture: Path, generation: int, clip: Clip) -> Clip | None:
        """Take what was written into the store; None where all clips have been deleted meanwhile.

        Raises:
            ClipError: the disk refuses.
        """
        with self._lock:
            if generation != self._generation:
                for path in (sound, picture):
                    path.unlink(missing_ok=True)
                return None
            path = self._folder / _name(clip)
            try:
                picture.replace(path.with_suffix(".png"))
                sound.replace(path)
            except OSError as err:
                raise ClipError(f"cannot write {path}: {err.strerror}") from None
            self._written[path.name] = time.monotonic()
            found = self._find(clip.detection_id)
        return found.clip if found else None

    def prune(self, settings: ClipSettings) -> None:
        """Delete what is too old or too much, the oldest first."""
        with self._lock:
            used = 0
            for number, entry in enumerate(self._entries()):
                used += entry.clip.size_bytes
                age = self._age(entry)
                if age > settings.keep_days * 86400 or used > settings.keep_mb * _MB or number >= MAX_CLIPS:
                    with suppress(ClipError):
                        _remove(entry)

    def heal(self) -> None:
        """Remove what a power cut or a damaged card has left: halves of clips, and clips that hold no sound."""
        with self._lock:
            self._remove_leftovers()
            entries = list(self._entries())
            known = {entry.picture.name for entry in entries}
            for path in self._folder.glob("*_muted.png"):
                if path.name not in known:
                    _unlink(path)
            for entry in entries:
                if not _is_flac(entry.path):
                    _LOGGER.warning("A clip was damaged and is gone: %s", entry.path.name)
                    with suppress(ClipError):
                        _remove(entry)

    def _entries(self) -> Iterator[_Entry]:
        """Return what the folder holds, the newest first; what is no clip is left alone."""
        try:
            with os.scandir(self._folder) as scan:
                found = [entry for item in scan if (entry := _entry(item)) is not None]
        except OSError:
            return iter(())
        return iter(sorted(found, key=lambda entry: entry.clip.onset, reverse=True))

    def _find(self, detection_id: str) -> _Entry | None:
        if not _ID.fullmatch(detection_id):
            return None
        return next((entry for entry in self._entries() if entry.clip.detection_id == detection_id), None)

    def _age(self, entry: _Entry) -> float:
        """Return the age of a clip in seconds; where the clock was set, its file is dated anew."""
        now = time.time()
        age = now - entry.written
        known = self._written.get(entry.path.name)
        true_age = max(0.0, age) if known is None else time.monotonic() - known
        if abs(age - true_age) > _CLOCK_S:
            with suppress(OSError):
                os.utime(entry.path, (now - true_age, now - true_age))
        return true_age

    def _make_room(self) -> None:
        while shutil.disk_usage(self._folder).free < RESERVE_BYTES:
            oldest = list(self._entries())[-1:]
            if not oldest:
                raise ClipError("the disk is nearly full: what is left of it is for detections")
            _remove(oldest[0])

    def _remove_leftovers(self) -> None:
        for path in self._folder.glob(f".*{_NEW}"):
            _unlink(path)


def _name(clip: Clip) -> str:
    onset = clip.onset.astimezone(UTC)
    return (
        f"{onset:%Y%m%dT%H%M%S}{onset.microsecond // 1000:03d}Z_{clip.sound_class.value}_{clip.detection_id}"
        f"_{round(clip.duration_s * 1000)}ms_{round(clip.muted_s * 1000)}ms_muted.flac"
    )


def _entry(item: os.DirEntry[str]) -> _Entry | None:
    match = _NAME.fullmatch(item.name)
    if match is None:
        return None
    moment, sound_class, detection_id, duration, muted = match.groups()
    try:
        onset = datetime.strptime(moment[:-3], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
        if not item.is_file(follow_symlinks=False):
            return None
        status = item.stat(follow_symlinks=False)
        clip = Clip(
            detection_id=detection_id,
            sound_class=SoundClass(sound_class),
            onset=onset + timedelta(milliseconds=int(moment[-3:])),
            duration_s=int(duration) / 1000,
            muted_s=int(muted) / 1000,
            size_bytes=status.st_size,
        )
    except (ValueError, OSError):
        return None
    return _Entry(Path(item.path), clip, status.st_mtime)


def _is_flac(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(_FLAC)) == _FLAC
    except OSError:
        return False


def _drawn(path: Path) -> bytes | None:
    import soundfile  # noqa: PLC0415 - loads a native library

    from .spectrogram import spectrogram_png  # noqa: PLC0415 - and NumPy

    try:
        samples, _ = soundfile.read(path, dtype="int16")
    except (OSError, soundfile.LibsndfileError):
        return None
    return spectrogram_png(samples)


def _remove(entry: _Entry) -> None:
    try:
        entry.path.unlink(missing_ok=True)
        entry.picture.unlink(missing_ok=True)
    except OSError as err:
        raise ClipError(f"cannot delete {entry.path}: {err.strerror}") from None


def _unlink(path: Path) -> None:
    with suppress(OSError):
        path.unlink(missing_ok=True)
