"""Who hears of alerts: in which order, of which classes, in which language. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from typing import Any, Final

from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.const import CONF_LANGUAGE, CONF_TARGET

from ..const import CONF_CLASSES, CONF_KIND, CONF_ORDER, SUBENTRY_RECIPIENT
from ..protocol import SoundClass
from .texts import Language

FIRST: Final = 1
LAST: Final = 5


class RecipientKind(StrEnum):
    """What `notify` offers: an action of its own, or an entity."""

    ACTION = "action"
    ENTITY = "entity"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """Someone to tell.

    Attributes:
        target: the name of an action or the id of an entity.
        order: those of order 1 are told at once, the others when nobody before them answers or can be reached.
        classes: what they want to hear of.
        language: theirs, None for that of the household.
    """

    subentry_id: str
    name: str
    kind: RecipientKind
    target: str
    order: int = FIRST
    classes: frozenset[SoundClass] = frozenset(SoundClass)
    language: Language | None = None

    @classmethod
    def from_subentry(cls, subentry: ConfigSubentry) -> Recipient:
        """Read what the owner has entered."""
        data: Mapping[str, Any] = subentry.data
        language = data.get(CONF_LANGUAGE)
        return cls(
            subentry_id=subentry.subentry_id,
            name=subentry.title,
            kind=RecipientKind(data[CONF_KIND]),
            target=data[CONF_TARGET],
            order=data.get(CONF_ORDER, FIRST),
            classes=frozenset(SoundClass(name) for name in data.get(CONF_CLASSES, SoundClass)),
            language=Language(language) if language else None,
        )


def recipients_of(entry: ConfigEntry) -> list[Recipient]:
    """Return the recipients of a household."""
    return [
        Recipient.from_subentry(subentry)
        for subentry in entry.subentries.values()
        if subentry.subentry_type == SUBENTRY_RECIPIENT
    ]


def waves_of(
    recipients: Iterable[Recipient], sound_class: SoundClass | None = None
) -> list[tuple[Recipient, ...]]:
    """Return who wants to hear of a class: those to tell at once, then those in reserve, wave by wave.

    What is no sound is for everybody.
    """
    wanted = sorted(
        (item for item in recipients if sound_class is None or sound_class in item.classes),
        key=lambda item: item.order,
    )
    return [tuple(wave) for _, wave in groupby(wanted, key=lambda item: item.order)]
