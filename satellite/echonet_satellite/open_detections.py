"""Which messages about a detection are told: as the owner's settings and mutes have it. Pure: no thread, no disk."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
import uuid

from .protocol import AlarmPattern, Detection, Phase, Sensitivity, Settings, SoundClass

# A mute is for what annoys. Smoke and carbon monoxide are told in spite of it.
UNMUTABLE: Final = frozenset({AlarmPattern.T3, AlarmPattern.T4})


class OpenDetections:
    """The detections that have begun and not ended, told and untold; not safe to use from several threads."""

    def __init__(
        self, settings: Settings, *, clock: Callable[[], float], utc: Callable[[], datetime]
    ) -> None:
        """Tell what `settings` want; mutes end by `clock`, and `utc` is the clock that onsets are told by."""
        self._settings = settings
        self._clock = clock
        self._utc = utc
        self._told: dict[str, Detection] = {}
        self._muted_until: dict[tuple[str, SoundClass], float] = {}  # by room; without a name, all of them
        # What goes on untold because of a mute, and the id that it would be told by.
        self._held: dict[str, str] = {}

    @property
    def told(self) -> dict[str, Detection]:
        """The last message of each detection that has been told and goes on, by its id."""
        return dict(self._told)

    def take(self, detection: Detection) -> list[Detection]:
        """Return what is to be told of a message; of a detection whose start was not wanted, nothing at all is.

        One that a mute holds back is told from its start when it turns out to be smoke or carbon monoxide.
        """
        if (told_id := self._held.get(detection.id)) is not None:
            return self._take_held(replace(detection, id=told_id), detection.id)
        known = detection.id in self._told
        if detection.phase is Phase.START:
            if known or not self._wanted(detection):
                return []
            if self._muted(detection):
                self._held[detection.id] = detection.id
                return []
        elif not known:
            return []
        return [self._follow(detection)]

    def configure(self, settings: Settings) -> list[Detection]:
        """Change settings, and return the ends of what is no longer wanted."""
        self._settings = settings
        return [self._finish(item) for item in self.told.values() if not self._wanted(item)]

    def mute(
        self, classes: tuple[SoundClass, ...], duration_s: float, rooms: tuple[str, ...] = ()
    ) -> list[Detection]:
        """Hold back what annoys for a while, in all rooms or in some; return the ends of what has begun."""
        if not rooms:
            # What is said of all rooms counts for each.
            self._muted_until = {
                (room, name): until
                for (room, name), until in self._muted_until.items()
                if name not in classes
            }
        for room in rooms or ("",):
            for name in classes:
                self._muted_until[room, name] = self._clock() + duration_s
        ends = []
        for detection in self.told.values():
            if self._muted(detection):
                ends.append(self._finish(detection))
                # Its end has been told: if it turns out to be smoke, that must not look like an echo of it.
                self._held[detection.id] = uuid.uuid4().hex
        return ends

    def _take_held(self, detection: Detection, heard_id: str) -> list[Detection]:
        """Follow what a mute holds back, and tell it from the moment on that no mute may hold it back."""
        messages = []
        begins = detection.id not in self._told and detection.pattern in UNMUTABLE and self._wanted(detection)
        if begins:
            messages.append(self._follow(replace(detection, phase=Phase.START, duration_s=0.0)))
        if detection.id in self._told and (not begins or detection.phase is Phase.END):
            messages.append(self._follow(detection))
        if detection.phase is Phase.END:
            del self._held[heard_id]
        return messages

    def _wanted(self, detection: Detection) -> bool:
        if detection.test:
            return True
        level = self._settings.sensitivity.get(detection.sound_class, Sensitivity.OFF)
        return self._settings.listening and level is not Sensitivity.OFF

    def _muted(self, detection: Detection) -> bool:
        if detection.test or detection.pattern in UNMUTABLE:
            return False
        return any(
            self._clock() < self._muted_until.get((room, detection.sound_class), 0.0)
            for room in ("", detection.room)
        )

    def _follow(self, detection: Detection) -> Detection:
        if detection.phase is Phase.END:
            del self._told[detection.id]
        else:
            self._told[detection.id] = detection
        return detection

    def _finish(self, detection: Detection) -> Detection:
        del self._told[detection.id]
        lasted = max(self._utc() - detection.onset, timedelta(0)).total_seconds()
        return replace(detection, phase=Phase.END, duration_s=lasted)
