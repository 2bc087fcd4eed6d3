"""What people are told of silence, each in their language. Pure: the words are passed in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .kinds import Severity
from .letters import Letter
from .payload import GROUP, key_of, loudness
from .policy import Telling
from .silence import Concern
from .texts import TEXTS, Language
from .texts.shape import join_words


@dataclass(frozen=True, slots=True, kw_only=True)
class SilenceNotice:
    """One trouble as it is told; `words` are its title and what to do, `language` is the household's."""

    concern: Concern
    severity: Severity
    words: Mapping[Language, tuple[str, str]]
    language: Language
    opens: str
    telling: Telling = Telling.NEW

    @property
    def incident_id(self) -> str:
        """What makes a later notice replace this one, and takes it back."""
        return self.concern.id

    @property
    def title(self) -> str:
        """The title in the household's language."""
        return self.words[self.language][0]

    def letter(self, language: Language | None, instead_of: Sequence[str]) -> Letter:
        """Return what a recipient reads."""
        language = language or self.language
        texts = TEXTS[language]
        title, message = self.words[language]
        if instead_of:
            message = f"{message} {texts.instead.format(names=join_words(list(instead_of), texts.and_word))}"
        data = {
            "tag": f"{GROUP}-{key_of(self.concern.id)}",
            "group": GROUP,
            "url": self.opens,
            "clickAction": self.opens,
            **loudness(self.severity),
        }
        return Letter(title=title, message=message, data=data)
