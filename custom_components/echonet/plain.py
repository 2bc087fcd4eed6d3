"""Names that a satellite gives itself, in plain words that are fit for every place where they are shown. Pure."""

from typing import Final
import unicodedata

MAX_NAME_LENGTH: Final = 64
NO_NAME: Final = "EchoNet"

_PUNCTUATION: Final = frozenset(" -'\u2019.,&()+")


def plain_name(text: str) -> str:
    """Return a name in plain words.

    Repairs and notifications are read as Markdown: what would be a link, a picture or an emphasis there is left out,
    so that nobody has to remember to escape it.
    """
    kept = "".join(char if _is_plain(char) else " " for char in text[:1024])
    words = [_without_inner_dots(word) for word in kept.split()]
    return " ".join(" ".join(words).split())[:MAX_NAME_LENGTH].strip(" -+.,") or NO_NAME


def _without_inner_dots(word: str) -> str:
    # "St." stays; "www.example.org" would be a link, and "1." a list.
    stem = word.rstrip(".")
    ending = "." if stem != word and stem.isalpha() else ""
    return stem.replace(".", " ") + ending


def _is_plain(char: str) -> bool:
    # Marks are the vowels of many scripts; of symbols, those that are pictures have no meaning in Markdown.
    return char.isalnum() or char in _PUNCTUATION or unicodedata.category(char) in {"Mn", "Mc", "Me", "So"}
