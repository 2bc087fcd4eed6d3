"""Puts an alert into words: sentences that a person woken at three in the morning understands. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from ..protocol import LocationSource
from .incident import Acknowledgement
from .kinds import AlertKind, Severity
from .policy import Telling
from .position import Position
from .texts import Texts
from .texts.shape import join_words

# What a person has named may be long, and a notification may not: push services take 4 KiB for all of it.
MAX_NAME_LENGTH = 40
MAX_ROOMS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What there is to tell of an incident, in no language.

    Attributes:
        rooms: the rooms in which it was heard, the loudest first; empty if no satellite has a room.
        names: the satellites that heard it, likewise.
        floors: the floors of these rooms.
        duration: how long it lasted, None while it goes on.
        acknowledgement: what somebody has answered.
        lost: whether it ended only because its satellite is gone.
        likely: the room where it most probably is, and how probable that is; None where nobody can say.
        zone: the zone in which people read times.
    """

    kind: AlertKind
    telling: Telling
    severity: Severity
    rooms: tuple[str, ...]
    names: tuple[str, ...]
    floors: tuple[str, ...]
    onset: datetime
    now: datetime
    zone: tzinfo
    confidence: float
    position: Position
    address: str
    duration: timedelta | None = None
    lost: bool = False
    likely: tuple[str, float] | None = None
    acknowledgement: Acknowledgement | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What a person reads; `emergency` is a text that can be sent on to those who help, as it is."""

    title: str
    message: str
    emergency: str

    @property
    def text(self) -> str:
        """Everything in one, for those who show no title."""
        return f"{self.title}. {self.message}"


def write(facts: Facts, texts: Texts, *, instead_of: Sequence[str] = ()) -> Notice:
    """Put an alert into words.

    Args:
        facts: What there is to tell.
        texts: The language.
        instead_of: Those who should have been told and could not be reached, if that is why this one is told.
    """
    title = f"{texts.sounds[facts.kind]}{describe_places(facts, texts)}"
    wrapper = {Telling.TEST: texts.test_title, Telling.ALL_CLEAR: texts.all_clear_title}.get(facts.telling)
    if wrapper is not None:
        title = wrapper.format(title=in_sentence(title, texts))
    sentences = [_first_sentence(facts, texts), *_likely(facts, texts), *_reasons(facts, texts)]
    if instead_of:
        sentences.append(
            texts.instead.format(names=join_words([_short(name) for name in instead_of], texts.and_word))
        )
    lines = [" ".join(sentences)]
    if facts.severity is Severity.CRITICAL and facts.telling is not Telling.TEST:
        lines.append(" ".join([*_floors(facts, texts), describe_position(facts, texts)]))
    return Notice(title=title, message="\n".join(lines), emergency=_emergency(facts, texts))


def describe_places(facts: Facts, texts: Texts) -> str:
    """Say where, as it follows the name of a sound, with its space: " in the kitchen"."""
    if facts.rooms:
        return texts.in_rooms([_short(room) for room in facts.rooms[:MAX_ROOMS]])
    names = [_short(name) for name in facts.names[:MAX_ROOMS]]
    return texts.near.format(names=join_words(names, texts.and_word))


def describe_moment(moment: datetime, now: datetime, texts: Texts) -> str:
    """Say when, both being in local time: "at 3:12 am", with the day if it was another one."""
    time = texts.at(moment)
    if moment.date() == now.date():
        return time
    return texts.on_at.format(day=texts.on(moment, moment.year != now.year), time=time)


def describe_confidence(confidence: float, texts: Texts) -> str:
    """Say how sure: "high confidence (94 %)"."""
    percent = _percent(confidence)
    high, medium, low = texts.confidences
    return (high if percent >= 85 else medium if percent >= 60 else low).format(percent=percent)


def describe_duration(duration: timedelta, texts: Texts) -> str:
    """Say how long, as exactly as a person would: "40 seconds", "5 minutes", "2 hours"."""
    seconds = max(round(duration.total_seconds()), 1)
    size = 0 if seconds < 60 else 1 if seconds < 3600 else 2
    count = round(seconds / 60**size)
    return texts.durations[size][count != 1].format(count=count)


def describe_position(facts: Facts, texts: Texts) -> str:
    """Say the coordinates, where they are from, how accurate and how old they are."""
    position = facts.position
    match position.source:
        case LocationSource.GPS:
            moment = describe_moment(
                _local(position.known_at or facts.now, facts), _local(facts.now, facts), texts
            )
            source = texts.position_gps.format(moment=moment)
        case LocationSource.CONFIGURED:
            source = texts.position_configured
        case LocationSource.NONE:
            source = texts.position_home
    if position.accuracy_m >= 1:
        source = f"{source}, {texts.accuracy.format(metres=round(position.accuracy_m))}"
    return texts.position.format(coordinates=position.coordinates, source=source)


def in_sentence(title: str, texts: Texts) -> str:
    """Return what begins with the name of a sound as it reads inside a sentence."""
    return f"{title[0].lower()}{title[1:]}" if texts.lowercase else title


def _first_sentence(facts: Facts, texts: Texts) -> str:
    moment = describe_moment(_local(facts.onset, facts), _local(facts.now, facts), texts)
    if facts.telling is Telling.TEST:
        return texts.test.format(moment=moment)
    if facts.telling is Telling.ALL_CLEAR:
        if facts.lost:
            return texts.lost
        return texts.all_clear.format(
            moment=moment, duration=describe_duration(facts.duration or timedelta(0), texts)
        )
    return texts.heard.format(moment=moment, confidence=describe_confidence(facts.confidence, texts))


def _likely(facts: Facts, texts: Texts) -> list[str]:
    # Of a single room, the title says it.
    if facts.likely is None or len(facts.rooms) < 2 or facts.telling in (Telling.TEST, Telling.ALL_CLEAR):
        return []
    room, probability = facts.likely
    return [texts.likely.format(room=texts.in_rooms([_short(room)]), percent=_percent(probability))]


def _reasons(facts: Facts, texts: Texts) -> list[str]:
    if facts.acknowledgement is not None:
        answer = texts.called_false if facts.acknowledgement.false_alarm else texts.acknowledged
        return [answer.format(name=_short(facts.acknowledgement.by or texts.somebody))]
    match facts.telling:
        case Telling.LATE:
            return [texts.late]
        case Telling.REPEAT:
            return [texts.unanswered]
        case Telling.ESCALATED:
            return [texts.escalated]
        case _:
            return []


def _percent(probability: float) -> int:
    # Rounding down to 99 keeps a model's estimate from reading as a certainty.
    return min(round(probability * 100), 99)


def _floors(facts: Facts, texts: Texts) -> list[str]:
    if not facts.floors:
        return []
    floors = [_short(floor) for floor in facts.floors[:MAX_ROOMS]]
    return [texts.floor.format(floor=join_words(floors, texts.and_word))]


def _emergency(facts: Facts, texts: Texts) -> str:
    """Say what, when and where, to somebody who knows neither the house nor what EchoNet is."""
    onset = _local(facts.onset, facts)
    day = texts.on_at.format(day=texts.on(onset, True), time=texts.at(onset))
    rooms = [_short(room) for room in (facts.rooms or facts.names)[:MAX_ROOMS]]
    address = facts.address or facts.position.coordinates
    return " ".join(
        [
            texts.emergency.format(sound=texts.sounds[facts.kind], moment=day, address=address),
            texts.emergency_room.format(rooms=join_words(rooms, texts.and_word)),
            *_floors(facts, texts),
            describe_position(facts, texts),
            facts.position.map_url,
            texts.emergency_closing,
        ]
    )


def _local(moment: datetime, facts: Facts) -> datetime:
    return moment.astimezone(facts.zone)


def _short(name: str) -> str:
    name = " ".join(name.split())
    return name if len(name) <= MAX_NAME_LENGTH else f"{name[: MAX_NAME_LENGTH - 1].rstrip()}…"
