"""What an alert says, in the languages of those who read it.

Each module of this package holds the texts of one language, as one `Texts`: a text that is missing is an error of
types, and the tests render every one of them.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from .de import GERMAN
from .en import ENGLISH
from .es import SPANISH
from .fr import FRENCH
from .shape import Texts

__all__ = ["TEXTS", "Language", "Texts", "nearest_language"]


class Language(StrEnum):
    """A language that alerts are written in."""

    ENGLISH = "en"
    GERMAN = "de"
    FRENCH = "fr"
    SPANISH = "es"


TEXTS: Final[Mapping[Language, Texts]] = {
    Language.ENGLISH: ENGLISH,
    Language.GERMAN: GERMAN,
    Language.FRENCH: FRENCH,
    Language.SPANISH: SPANISH,
}


def nearest_language(tag: str) -> Language:
    """Return the language of a tag such as "de-CH", English for those that we do not speak."""
    try:
        return Language(tag.partition("-")[0].lower())
    except ValueError:
        return Language.ENGLISH
