"""What a satellite is, can and hears, as Home Assistant knows it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from .protocol import (
    Detection,
    Health,
    Learning,
    Phase,
    Problem,
    Settings,
    Snapshot,
    SoundClass,
    SoundHeard,
    Welcome,
)

# What can change of a satellite: a field of its state or of what it has learned, whether a class of sound is heard, or
# a taught sound by its id.
type Part = str

# More sounds at once than a house can have; a satellite that tells no end of anything fills no memory.
MAX_ACTIVE: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class SatelliteData:
    """The state of a satellite; `active` holds every detection that goes on, by its id."""

    welcome: Welcome
    health: Health
    settings: Settings
    active: Mapping[str, Detection]
    learning: Learning

    @classmethod
    def of(cls, welcome: Welcome, snapshot: Snapshot) -> SatelliteData:
        """Return what a satellite tells of itself when it is connected, or whenever it likes."""
        # A test never turns a sensor on: a binary sensor has no way to say that nothing was heard.
        active = {item.id: item for item in snapshot.active[-MAX_ACTIVE:] if not item.test}
        return cls(
            welcome=welcome,
            health=snapshot.health,
            settings=snapshot.settings,
            active=active,
            learning=snapshot.learning,
        )

    def with_sound(self, message: SoundHeard) -> SatelliteData:
        """Return the state after a taught sound has begun or ended."""
        sounds = tuple(
            replace(sound, active=message.phase is not Phase.END) if sound.id == message.sound_id else sound
            for sound in self.learning.sounds
        )
        return replace(self, learning=replace(self.learning, sounds=sounds))

    def hears(self, sound_class: SoundClass) -> bool:
        """Tell whether a sound of this class goes on."""
        return any(item.sound_class is sound_class for item in self.active.values())

    def problems_of(self, room: str) -> tuple[Problem, ...]:
        """Return what is wrong with the hearing of a room, which is that of the satellite where it hears only one."""
        for source in self.health.sources:
            if source.room == room:
                return source.problems
        return self.health.problems

    def after(self, detection: Detection) -> SatelliteData:
        """Return the state after a message of a detection; a replayed start turns nothing on."""
        active = dict(self.active)
        match detection.phase:
            case Phase.END:
                active.pop(detection.id, None)
            case Phase.UPDATE if detection.id in active:
                active[detection.id] = detection
            case Phase.START if not detection.replayed and not detection.test:
                active[detection.id] = detection
                if len(active) > MAX_ACTIVE:
                    del active[next(iter(active))]
        return self if active == self.active else replace(self, active=active)

    def changed(self, before: SatelliteData) -> frozenset[Part]:
        """Return of what something else is shown now than before."""
        names = ("welcome", "health", "settings")
        parts: set[Part] = {name for name in names if getattr(self, name) != getattr(before, name)}
        parts |= {item for item in self.welcome.classes if self.hears(item) is not before.hears(item)}
        if self.learning != before.learning:
            known = {sound.id: sound for sound in before.learning.sounds}
            parts |= {sound.id for sound in self.learning.sounds if known.get(sound.id) != sound}
            if known.keys() != {sound.id for sound in self.learning.sounds}:
                parts.add("sounds")
            if self.learning.false_alarms != before.learning.false_alarms:
                parts.add("false_alarms")
        return frozenset(parts)
