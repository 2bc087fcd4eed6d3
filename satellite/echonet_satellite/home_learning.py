"""What a satellite learns at home: from verdicts on what it told, and from sounds that it is taught."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
import logging
from typing import TYPE_CHECKING

from .errors import LearningError
from .journal import Journal
from .protocol import (
    Forget,
    Label,
    Learning,
    Lesson,
    LessonOutcome,
    Message,
    Phase,
    SoundHeard,
    Teach,
)

if TYPE_CHECKING:
    from .learning.learner import Learner
    from .sound_event import SoundEvent

_LOGGER = logging.getLogger(__name__)


class HomeLearning:
    """Obeys what people say of sounds. `keep` may be called from any thread; the rest belongs to the event loop."""

    def __init__(
        self, learner: "Learner | None", journal: Journal, post: Callable[[Message | None], None]
    ) -> None:
        """Tell through `post` what is learned, and with None that the snapshot is another one.

        Without a `learner` verdicts are only kept in the journal.
        """
        self._learner = learner
        self._journal = journal
        self._post = post
        self._teaching = None if learner is None else learner.teaching(post)
        self._sounding: set[str] = set()

    @property
    def learns(self) -> bool:
        """Whether anything is learned."""
        return self._learner is not None

    @property
    def summary(self) -> Learning:
        """What was learned, and which of the taught sounds goes on."""
        if self._learner is None:
            return Learning(false_alarms={})
        summary = self._learner.summary
        sounds = tuple(replace(item, active=item.id in self._sounding) for item in summary.sounds)
        return replace(summary, sounds=sounds)

    def keep(self, event: "SoundEvent") -> None:
        """Keep what a detection sounded like, for a verdict that may come."""
        if self._learner is not None:
            self._learner.keep(event)

    def note(self, message: Message) -> None:
        """Note whether a taught sound begins or ends, from what everybody is told."""
        if not isinstance(message, SoundHeard):
            return
        if message.phase is Phase.END:
            self._sounding.discard(message.sound_id)
        else:
            self._sounding.add(message.sound_id)

    async def label(self, message: Label) -> None:
        """Keep a person's verdict, and learn from it."""
        outcome = LessonOutcome.NOT_KEPT
        if not await asyncio.to_thread(self._journal.label, message.detection_id, message.verdict):
            _LOGGER.info("A verdict on a detection that the journal no longer has is left out")
        elif self._learner is not None:
            outcome = await asyncio.to_thread(self._learner.judge, message.detection_id, message.verdict)
        if self._learner is not None:
            self._post(Lesson(detection_id=message.detection_id, outcome=outcome))
        if outcome in {LessonOutcome.LEARNED, LessonOutcome.FORGOTTEN}:
            self._post(None)

    async def forget(self, message: Forget) -> None:
        """Hear again what was learned to be no alarm, and forget taught sounds."""
        if self._learner is None:
            return
        try:
            if message.false_alarms:
                await asyncio.to_thread(self._learner.forget_false_alarms)
            if message.sounds:
                await asyncio.to_thread(self._learner.school.forget, message.sounds)
        except LearningError as err:
            _LOGGER.error("What was to be forgotten may be remembered at the next start: %s", err)
        self._post(None)

    def teach(self, message: Teach, *, listening: bool) -> None:
        """Listen for a while, if the owner lets it, and learn what is heard; others are obeyed meanwhile."""
        if self._teaching is not None:
            self._teaching.begin(message.name, listening=listening)

    async def learn_again(self) -> None:
        """Take what another process has taught."""
        if self._learner is not None:
            await asyncio.to_thread(self._learner.school.reload)
            self._post(None)

    async def end(self) -> None:
        """Stop what is being taught."""
        if self._teaching is not None:
            await self._teaching.end()
