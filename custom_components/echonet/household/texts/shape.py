"""The shape of a language: every text that an alert may need, and what it may be filled with."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from ..kinds import AlertKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """The texts of one language; `{names}` in braces are filled in, and each says the same in every language.

    Attributes:
        sounds: the name of each sound, as a title begins.
        lowercase: whether such a name loses its capital inside a sentence.
        and_word: what stands before the last of several.
        in_rooms: what follows a sound that was heard in these rooms, with its space or colon.
        near: the same for satellites that have no room.
        at: a time of day, such as "at 3:12 am".
        on: a day, such as "on Friday, 20 November"; the second argument asks for the year as well.
        on_at: how the two are joined.
        durations: seconds, minutes and hours, each for one and for several.
        confidences: high, medium and low.
    """

    sounds: Mapping[AlertKind, str]
    lowercase: bool
    and_word: str
    in_rooms: Callable[[Sequence[str]], str]
    near: str
    at: Callable[[datetime], str]
    on: Callable[[datetime, bool], str]
    on_at: str
    durations: tuple[tuple[str, str], tuple[str, str], tuple[str, str]]
    confidences: tuple[str, str, str]
    heard: str
    likely: str
    late: str
    acknowledged: str
    called_false: str
    somebody: str
    unanswered: str
    escalated: str
    instead: str
    test_title: str
    test: str
    all_clear_title: str
    all_clear: str
    floor: str
    position: str
    position_gps: str
    position_configured: str
    position_home: str
    accuracy: str
    emergency: str
    emergency_room: str
    emergency_closing: str
    acknowledge: str
    false_alarm: str
    mute: str
    show_map: str
    forward: str
    lost: str


def join_words(words: Sequence[str], and_word: str) -> str:
    """Join with commas, and `and_word` before the last."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} {and_word} {words[-1]}"


def known_rooms(groups: Mapping[str, str]) -> Mapping[str, str]:
    """Return what a known room reads like in a sentence; `groups` has rooms by what stands before them."""
    return {
        name.casefold(): f"{before}{'' if before.endswith(("'", '’')) else ' '}{name}"
        for before, names in groups.items()
        for name in names.split(", ")
    }


def say_rooms(rooms: Sequence[str], *, known: Mapping[str, str], and_word: str, colon: str) -> str:
    """Say where, with the right article for rooms that are known, else after a colon.

    A name that somebody gave a room has a gender that we cannot know.
    """
    names = [" ".join(room.split()) for room in rooms]
    phrases = [known.get(name.casefold()) for name in names]
    if all(phrases):
        return f" {join_words([phrase for phrase in phrases if phrase], and_word)}"
    return f"{colon}{join_words(names, and_word)}"
