"""Keeps the clips that the owner wants, in a thread of its own: nothing that happens to a clip delays a detection."""

from dataclasses import dataclass, replace
import json
import logging
from pathlib import Path
import subprocess
import threading
import time
from typing import TYPE_CHECKING, Final

from .. import child
from ..audio import SAMPLE_RATE
from ..errors import ClipError
from ..protocol import Clip, Detection, Message, Phase, Settings, Snapshot
from .store import ClipStore
from .tape import Samples, Tape

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

_LOGGER = logging.getLogger(__name__)

BEFORE_S: Final = 5.0
AFTER_S: Final = 5.0
# The sound of the last moment may still be on its way from the microphone.
_MARGIN_S: Final = 0.5
_LEAST_S: Final = 1.0
_MAX_WAITING: Final = 16
_PRUNE_EVERY_S: Final = 60.0
_CHILD_S: Final = 90.0
_STOP_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A clip that is to be cut from the tape; `onset` and `due` are monotonic times."""

    clip: Clip
    onset: float
    due: float
    tape: Tape


class ClipKeeper:
    """Is told by the station what it tells everybody, and cuts clips from the tape."""

    def __init__(
        self,
        folder: Path,
        tapes: "Mapping[str, Tape]",
        *,
        tell: "Callable[[Clip], None]",
        utc_now: "Callable[[], datetime]",
    ) -> None:
        """Keep clips in `folder`, cut from the tape of each room; `tell` is called, from the thread, with each one."""
        self.store = ClipStore(folder)
        self._tapes = tapes
        self._tell = tell
        self._utc_now = utc_now
        self._settings: Settings | None = None
        self._wanted: list[_Wanted] = []
        self._changed = threading.Condition()
        self._stopping = False
        self._child: subprocess.Popen[bytes] | None = None
        self._complained = ""
        self._thread = threading.Thread(target=self._run, name="clips", daemon=True)

    def start(self, settings: Settings) -> None:
        """Begin with these settings."""
        self._configure(settings)
        self._thread.start()

    def stop(self) -> None:
        """End the thread and what it is doing; what was not kept by now is not kept at all."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
            if self._child is not None:
                self._child.kill()
        if self._thread.ident is not None:
            self._thread.join(_STOP_S)
        self._switch(on=False)

    def on_message(self, message: Message) -> None:
        """Take what the station tells: a detection to keep, or new settings."""
        if isinstance(message, Snapshot):
            self._configure(message.settings)
        elif isinstance(message, Detection) and message.phase is Phase.START and not message.test:
            self._want(message)

    def _configure(self, settings: Settings) -> None:
        on = settings.listening and settings.clips is not None and settings.clips.enabled
        self._switch(on=on)
        with self._changed:
            self._settings = settings
            if not on:
                self._wanted.clear()
            self._changed.notify_all()

    def _switch(self, *, on: bool) -> None:
        for tape in self._tapes.values():
            tape.switch(on=on)

    def _want(self, detection: Detection) -> None:
        settings = self._settings
        tape = self._tapes.get(detection.room)
        if tape is None or settings is None or settings.clips is None or not settings.clips.enabled:
            return
        if not settings.clips.classes.get(detection.sound_class, False):
            return
        now = time.monotonic()
        onset = now - max(0.0, (self._utc_now() - detection.onset).total_seconds())
        clip = Clip(
            detection_id=detection.id,
            sound_class=detection.sound_class,
            onset=detection.onset,
            duration_s=0.0,
        )
        with self._changed:
            if len(self._wanted) >= _MAX_WAITING:
                _LOGGER.warning("A clip is left out: more are waiting than can be written")
                return
            self._wanted.append(_Wanted(clip, onset, max(now, onset + AFTER_S + _MARGIN_S), tape))
            self._changed.notify_all()

    def _run(self) -> None:
        self._tidy(heal=True)
        tidied = time.monotonic()
        while True:
            with self._changed:
                due = min([item.due for item in self._wanted], default=tidied + _PRUNE_EVERY_S)
                if not self._stopping and due > time.monotonic():
                    self._changed.wait(min(due, tidied + _PRUNE_EVERY_S) - time.monotonic())
                if self._stopping:
                    return
                now = time.monotonic()
                ready = next((item for item in self._wanted if item.due <= now), None)
                if ready is not None:
                    self._wanted.remove(ready)
            if ready is not None:
                self._keep(ready)
            if ready is not None or time.monotonic() - tidied >= _PRUNE_EVERY_S:
                self._tidy()
                tidied = time.monotonic()

    def _keep(self, wanted: _Wanted) -> None:
        settings = self._settings
        cut = wanted.tape.cut(wanted.onset - BEFORE_S, wanted.onset + AFTER_S)
        if settings is None or settings.clips is None or cut is None:
            return
        samples, begins = cut
        if len(samples) < _LEAST_S * SAMPLE_RATE:
            return
        try:
            clip = self._written(wanted, samples, wanted.onset - begins, settings.clips.talk.value)
        except ClipError as err:
            if not self._stopping:
                self._complain(str(err))
        except Exception:
            # Whatever it was: the next clip is tried again.
            _LOGGER.exception("A clip could not be kept")
        else:
            self._complained = ""
            if clip is not None:
                self._tell(clip)

    def _written(self, wanted: _Wanted, samples: Samples, onset_s: float, talk: str) -> Clip | None:
        sound, picture, generation = self.store.begin()
        title = f"{wanted.clip.sound_class.value} {wanted.clip.onset:%Y-%m-%d %H:%M:%S}Z"
        answer = self._finish([str(sound), str(picture), title, f"{onset_s:.3f}", talk], samples.tobytes())
        settings = self._settings
        # Clips may have been switched off meanwhile: then this one is not kept either.
        if not answer.get("kept") or settings is None or settings.clips is None or not settings.clips.enabled:
            for path in (sound, picture):
                path.unlink(missing_ok=True)
            return None
        clip = replace(
            wanted.clip, duration_s=len(samples) / SAMPLE_RATE, muted_s=round(float(answer["talk_s"]), 3)
        )
        return self.store.adopt(sound, picture, generation, clip)

    def _finish(self, arguments: list[str], samples: bytes) -> "dict[str, float | bool]":
        process = subprocess.Popen(
            child.command("clips.finish", *arguments),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=child.environment(),
        )
        with self._changed:
            self._child = process
            if self._stopping:
                process.kill()
        try:
            output, complaint = process.communicate(samples, timeout=_CHILD_S)
        except subprocess.TimeoutExpired:
            raise ClipError(f"writing it takes longer than {_CHILD_S:g} s") from None
        finally:
            self._child = None
            if process.poll() is None:
                process.kill()
        if self._stopping:
            raise ClipError("the satellite is stopping")
        if process.returncode:
            lines = complaint.decode(errors="replace").split("\n")
            reason = next((line for line in reversed(lines) if line.strip()), f"status {process.returncode}")
            raise ClipError(reason.strip())
        answer: dict[str, float | bool] = json.loads(output)
        return answer

    def _tidy(self, *, heal: bool = False) -> None:
        settings = self._settings
        try:
            if heal:
                self.store.heal()
            if settings is not None and settings.clips is not None:
                self.store.prune(settings.clips)
        except Exception:
            _LOGGER.exception("The folder of clips could not be tidied up")

    def _complain(self, reason: str) -> None:
        if reason != self._complained:
            self._complained = reason
            _LOGGER.warning("A clip could not be kept: %s", reason)
