"""What a satellite is, can and hears, as Home Assistant knows it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from .protocol import (
    MICROPHONE_PROBLEMS,
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

# What can change of a satellite: a field of its state or of what it has learned, whether a class of sound is heard, in
# any room or in one (`part_of`), or a taught sound by its id.
type Part = str

# More sounds at once than a house can have; a satellite that tells no end of anything fills no memory.
MAX_ACTIVE: Final = 64
# As many as a satellite can be set up to hear.
MAX_ROOMS: Final = 16


def rooms_of(welcome: Welcome) -> tuple[str, ...]:
    """Return the rooms that are to be told apart: none where it hears only one, whatever that is called."""
    rooms = tuple(dict.fromkeys(filter(None, welcome.rooms)))[:MAX_ROOMS]
    return rooms if len(rooms) > 1 else ()


def part_of(sound_class: SoundClass, room: str) -> Part:
    """Return what changes when a class of sound begins or ends to be heard: in a room, or in any (no name)."""
    return f"{sound_class}/{room}" if room else sound_class


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

    @property
    def rooms(self) -> tuple[str, ...]:
        """The rooms that are to be told apart."""
        return rooms_of(self.welcome)

    def hears(self, sound_class: SoundClass, room: str = "") -> bool:
        """Tell whether a sound of this class goes on, in this room, or without a name in any."""
        return any(
            item.sound_class is sound_class and room in ("", item.room) for item in self.active.values()
        )

    @property
    def deaf(self) -> tuple[str, ...]:
        """The rooms of which nothing is heard; without a name, all that it hears."""
        deaf = tuple(
            room for room in self.rooms if not MICROPHONE_PROBLEMS.isdisjoint(self.problems_of(room))
        )
        return deaf or (("",) if not MICROPHONE_PROBLEMS.isdisjoint(self.health.problems) else ())

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
        parts |= self._heard() ^ before._heard()
        if self.learning != before.learning:
            known = {sound.id: sound for sound in before.learning.sounds}
            parts |= {sound.id for sound in self.learning.sounds if known.get(sound.id) != sound}
            if known.keys() != {sound.id for sound in self.learning.sounds}:
                parts.add("sounds")
            if self.learning.false_alarms != before.learning.false_alarms:
                parts.add("false_alarms")
        return frozenset(parts)

    def _heard(self) -> set[Part]:
        return {part_of(item.sound_class, room) for item in self.active.values() for room in ("", item.room)}
