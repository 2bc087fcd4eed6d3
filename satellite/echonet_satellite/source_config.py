"""Where sound comes from, as a person writes it down: one microphone, or the rooms that a satellite hears."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from .channel import Blend, Channel

MAX_SOURCES: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceConfig:
    """Where sound comes from, and of which room it is; without a name, that of the satellite itself."""

    room: str = ""
    source: str = "microphone"
    device: str | None = None
    channel: Channel = Blend.LOUDEST


class SourceError(Exception):  # never leaves the reading of a configuration
    """What is wrong with the sections, and with which key."""

    def __init__(self, key: str, text: str) -> None:
        super().__init__(text)
        self.key = key


def parse_sources(value: Any, parsers: Mapping[str, Callable[[str, Any], Any]]) -> tuple[SourceConfig, ...]:
    """Return the sections [[sources]]; `parsers` read the value of each of their keys.

    Raises:
        SourceError: they cannot be.
    """
    if not isinstance(value, list) or not value or not all(isinstance(item, dict) for item in value):
        raise SourceError(
            "sources",
            "must be sections: write [[sources]] for each room, and its keys below; on one line: "
            '[{room = "Hall"}, {room = "Garden", source = "rtsp://..."}]',
        )
    if len(value) > MAX_SOURCES:
        raise SourceError("sources", f"has {len(value)} sections; {MAX_SOURCES} can be heard")
    sources: list[SourceConfig] = []
    for section in value:
        for key in section:
            if key not in parsers:
                raise SourceError(f"sources.{key}", f"unknown key: allowed are {', '.join(sorted(parsers))}")
        sources.append(
            SourceConfig(**{key: parsers[key](f"sources.{key}", item) for key, item in section.items()})
        )
    rooms = [source.room.casefold() for source in sources]
    if len(sources) > 1 and "" in rooms:
        raise SourceError("sources.room", "is missing: with several sources, each has a room of its own")
    for source in sources:
        if rooms.count(source.room.casefold()) > 1:
            raise SourceError(
                "sources.room", f"must be another one for each source: {source.room!r} is there twice"
            )
    if sum(source.source == "-" for source in sources) > 1:
        raise SourceError("sources.source", "must not be standard input (-) more than once")
    return tuple(sources)
