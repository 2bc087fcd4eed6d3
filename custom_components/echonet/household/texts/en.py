"""Alerts in English."""

from collections.abc import Sequence
from datetime import datetime
import re
from typing import Final

from ..kinds import AlertKind
from .shape import Texts, join_words

# Rooms that are spoken of with an article. Any other name ("Anna's room", "Büro") is a proper name and stays as it is.
_COMMON_ROOMS: Final = frozenset(
    (  # noqa: SIM905  # forty words are read more easily as a text
        "attic balcony basement bathroom bedroom cellar conservatory corridor den entrance garage garden gym hall "
        "hallway kitchen landing laundry library loft lounge nursery office pantry playroom porch room shed stairwell "
        "studio study toilet utility workshop yard"
    ).split()
)
_POSSESSIVE: Final = re.compile(r"['\u2019]s?(\s|$)")
_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def _room(name: str) -> str:
    words = name.split()
    common = bool(words) and words[-1].lower() in _COMMON_ROOMS
    if not common or _POSSESSIVE.search(name) or not all(word.isalpha() for word in words):
        return " ".join(words)
    return f"the {' '.join(words).lower()}"


def _in_rooms(rooms: Sequence[str]) -> str:
    return f" in {join_words([_room(room) for room in rooms], 'and')}"


def _at(moment: datetime) -> str:
    return f"at {moment.hour % 12 or 12}:{moment.minute:02} {'am' if moment.hour < 12 else 'pm'}"


def _on(moment: datetime, with_year: bool) -> str:
    day = f"on {_DAYS[moment.weekday()]}, {moment.day} {_MONTHS[moment.month - 1]}"
    return f"{day} {moment.year}" if with_year else day


ENGLISH: Final = Texts(
    sounds={
        AlertKind.GUNSHOT: "Gunshot",
        AlertKind.GLASS_BREAK: "Breaking glass",
        AlertKind.BABY_CRY: "Crying baby",
        AlertKind.SMOKE_ALARM: "Smoke alarm",
        AlertKind.CO_ALARM: "Carbon monoxide alarm",
        AlertKind.SIREN: "Siren",
        AlertKind.ALARM_CLOCK: "Alarm clock",
        AlertKind.ALARM: "Alarm",
        AlertKind.LOW_BATTERY: "Low battery of an alarm",
        AlertKind.FIRE: "Sound of fire",
        AlertKind.DOG: "Barking dog",
        AlertKind.PRESENCE: "Sounds of people",
        AlertKind.SCREAM: "Scream",
    },
    lowercase=True,
    and_word="and",
    in_rooms=_in_rooms,
    near=" near {names}",
    at=_at,
    on=_on,
    on_at="{day} {time}",
    durations=(
        ("{count} second", "{count} seconds"),
        ("{count} minute", "{count} minutes"),
        ("{count} hour", "{count} hours"),
    ),
    confidences=(
        "high confidence ({percent} %)",
        "medium confidence ({percent} %)",
        "low confidence ({percent} %)",
    ),
    heard="Heard {moment} with {confidence}.",
    likely="Probably{room} ({percent} %).",
    late="You are told late because the connection to the satellite was down.",
    acknowledged="Acknowledged by {name}.",
    called_false="Marked as a false alarm by {name}.",
    somebody="somebody in Home Assistant",
    unanswered="Nobody has acknowledged this yet.",
    escalated="Passed on because nobody has acknowledged it yet.",
    instead="Passed on because {names} cannot be reached.",
    test_title="Test: {title}",
    test="This is only a test, sent {moment}. Nothing was heard.",
    all_clear_title="No longer heard: {title}",
    all_clear="It was heard for {duration}, beginning {moment}. Silence does not prove that all is well.",
    floor="Floor: {floor}.",
    position="Position: {coordinates} ({source}).",
    position_gps="GPS of the satellite {moment}",
    position_configured="as set on the satellite",
    position_home="the home as set in Home Assistant",
    accuracy="within {metres} m",
    emergency="{sound}, heard {moment} at {address}.",
    emergency_room="Room: {rooms}.",
    emergency_closing="Recognised by its sound by EchoNet, a device in the house.",
    acknowledge="Acknowledge",
    false_alarm="False alarm",
    mute="Mute for 1 h",
    show_map="Show on map",
    forward="Forward as text message",
    lost="The satellite is gone, so that nobody knows whether it goes on.",
)
