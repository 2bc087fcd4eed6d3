"""The words of an alert: sentences that a person woken at three in the morning understands."""

from collections.abc import Sequence
from datetime import datetime
import re

from ..protocol import AlarmPattern, SoundClass

_SOUNDS = {
    SoundClass.GUNSHOT: "Gunshot",
    SoundClass.GLASS_BREAK: "Breaking glass",
    SoundClass.BABY_CRY: "Crying baby",
    SoundClass.ALARM: "Alarm",
    SoundClass.FIRE: "Sound of fire",
    SoundClass.DOG: "Barking dog",
    SoundClass.PRESENCE: "Sounds of people",
    SoundClass.SCREAM: "Scream",
}

_ALARMS = {
    AlarmPattern.T3: "Smoke alarm",
    AlarmPattern.T4: "Carbon monoxide alarm",
    AlarmPattern.SIREN: "Siren",
    AlarmPattern.CLOCK: "Alarm clock",
    AlarmPattern.CHIRP: "Detector with an empty battery",
}

# Rooms that are spoken of with an article. Any other name ("Anna's room", "Büro") is a proper name and stays as it is.
_COMMON_ROOMS = frozenset(
    (  # noqa: SIM905  # forty words are read more easily as a text
        "attic balcony basement bathroom bedroom cellar conservatory corridor den entrance garage garden gym hall "
        "hallway kitchen landing laundry library loft lounge nursery office pantry playroom porch room shed stairwell "
        "studio study toilet utility workshop yard"
    ).split()
)
_POSSESSIVE = re.compile(r"['\u2019]s?(\s|$)")


def describe_sound(sound_class: SoundClass, pattern: AlarmPattern | None) -> str:
    """Name a sound, with a capital: "Smoke alarm"."""
    if sound_class is SoundClass.ALARM and pattern is not None:
        return _ALARMS.get(pattern, _SOUNDS[sound_class])
    return _SOUNDS[sound_class]


def describe_room(name: str) -> str:
    """Put a room into a sentence: "the kitchen", "Anna's room"."""
    words = name.split()
    common = bool(words) and words[-1].lower() in _COMMON_ROOMS
    if not common or _POSSESSIVE.search(name) or not all(word.isalpha() for word in words):
        return " ".join(words)
    return f"the {' '.join(words).lower()}"


def join_words(words: Sequence[str]) -> str:
    """Join with commas and a last "and"."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"


def describe_moment(onset: datetime, now: datetime) -> str:
    """Say when, both being in local time: "at 3:12", or "on Monday at 23:50" if it was another day."""
    time = f"at {onset.hour}:{onset.minute:02}"
    return time if onset.date() == now.date() else f"on {onset:%A} {time}"


def describe_confidence(confidence: float) -> str:
    """Say how sure: "high confidence (94 %)"."""
    # Rounding down to 99 keeps a model's estimate from reading as a certainty.
    percent = min(round(confidence * 100), 99)
    word = "high" if percent >= 85 else "medium" if percent >= 60 else "low"
    return f"{word} confidence ({percent} %)"
