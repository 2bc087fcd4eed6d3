"""Learns from what people say of detections, and keeps what they sounded like until somebody does."""

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
import logging
from pathlib import Path
import queue
import threading
from typing import Final, Protocol

from ..card import ModelCard, ModelError
from ..classifier import PACKAGED_MODEL, load_classifier
from ..errors import LearningError
from ..frontend import Floats
from ..protocol import AlarmPattern, Learning, LessonOutcome, Message, Phase, SoundClass, Verdict
from .examples import Recorded, listen
from .learned import Learned
from .lessons import MAX_LESSONS, Lesson, Quiet, Refusal, learn
from .reference import Reference, read_reference
from .school import School
from .store import KeptLesson, LearningStore, Trace
from .teaching import Teaching

_LOGGER = logging.getLogger(__name__)

STORE_FILE: Final = "learning.sqlite3"
_MOST_WAITING: Final = 64
_PATIENCE_S: Final = 0.1
_CLOSE_S: Final = 1.0

_OUTCOMES: Final = {
    Refusal.SMOKE_OR_CO: LessonOutcome.REFUSED_SMOKE,
    Refusal.TOO_SIMILAR: LessonOutcome.REFUSED_SIMILAR,
    Refusal.NOT_KEPT: LessonOutcome.NOT_KEPT,
}


def open_learner(state: Path, card: ModelCard, model: Path | None) -> "Learner | None":
    """Return what learns in a state directory; None, and a line in the log, where nothing can be learned.

    A satellite that cannot learn hears all the same.
    """

    def hear(samples: Floats) -> Recorded | None:
        # The hearing has a network of its own, and goes on meanwhile.
        return listen(load_classifier(model), samples)

    try:
        reference = read_reference(PACKAGED_MODEL if model is None else model, card)
        return Learner(LearningStore(state / STORE_FILE), card, reference, hear)
    except (ModelError, LearningError) as err:
        _LOGGER.warning("Nothing is learned from verdicts: %s", err)
        return None


class Traced(Protocol):
    """An event of a detection, with what it sounded like."""

    @property
    def id(self) -> str:
        """Of the detection."""

    @property
    def sound_class(self) -> SoundClass:
        """What it was taken for."""

    @property
    def phase(self) -> Phase:
        """Where it stands."""

    @property
    def pattern(self) -> AlarmPattern | None:
        """Of an alarm."""

    @property
    def embeddings(self) -> Floats | None:
        """What its most telling moments were to the network."""


class Learner:
    """The lessons of one satellite; safe to use from several threads, one verdict at a time."""

    def __init__(
        self,
        store: LearningStore,
        card: ModelCard,
        reference: Reference,
        hear: Callable[[Floats], Recorded | None],
    ) -> None:
        """Begin with what the store remembers; `hear` says what a recording is to the network, if it is not silent."""
        self._store = store
        self._card = card
        self._reference = reference
        self.learned = Learned()
        self._lessons: list[Lesson] = []
        self._take(store.lessons(card.sha256))
        # The hearing does not wait for the disk: what a sound was like is written by a thread of its own.
        self._traces: queue.Queue[Trace | None] = queue.Queue(_MOST_WAITING)
        self._writer = threading.Thread(target=self._write_traces, name="traces", daemon=True)
        self._writer.start()
        self.school = School(store, reference, self.learned, card.sha256, hear)

    @property
    def summary(self) -> Learning:
        """What was learned."""
        return Learning(
            false_alarms=dict(Counter(lesson.sound_class for lesson in self._lessons)),
            sounds=self.school.sounds,
        )

    def keep(self, event: Traced) -> None:
        """Keep what a detection sounded like. Where that cannot be, nothing is lost but a lesson."""
        if event.phase is Phase.UPDATE or event.embeddings is None or not len(event.embeddings):
            return
        trace = Trace(
            detection_id=event.id,
            model=self._card.sha256,
            sound_class=event.sound_class,
            pattern=event.pattern,
            embeddings=event.embeddings,
        )
        try:
            self._traces.put(trace, timeout=_PATIENCE_S)
        except queue.Full:
            _LOGGER.warning("Nothing can be learned from a detection: the disk takes too long")

    def judge(self, detection_id: str, verdict: Verdict) -> LessonOutcome:
        """Learn from a verdict. Who says that it was right after all takes back that it was not.

        Raises:
            LearningError: what is learned cannot be kept, and so is not.
        """
        if verdict is Verdict.CORRECT:
            if not any(lesson.detection_id == detection_id for lesson in self._lessons):
                return LessonOutcome.NOTED
            self._store.forget_lessons([detection_id])
            self._replace([lesson for lesson in self._lessons if lesson.detection_id != detection_id])
            return LessonOutcome.FORGOTTEN
        # What was heard before the verdict is on disk before it is looked for.
        self._traces.join()
        trace = self._store.trace(detection_id)
        if trace is None or trace.model != self._card.sha256 or trace.sound_class not in self._card.classes:
            return LessonOutcome.NOT_KEPT
        # The oldest lesson makes room for the new one; another lesson may still cover the same sound.
        others = [lesson for lesson in self._lessons if lesson.detection_id != detection_id]
        others = others[-(MAX_LESSONS - 1) :]
        lesson = learn(
            self._reference, others, detection_id, trace.sound_class, trace.pattern, trace.embeddings
        )
        if isinstance(lesson, Refusal):
            return _OUTCOMES[lesson]
        kept = KeptLesson(
            detection_id=detection_id, sound_class=trace.sound_class, embeddings=trace.embeddings
        )
        self._store.keep_lesson(kept, self._card.sha256, at_most=MAX_LESSONS)
        self._replace([*others, lesson])
        return LessonOutcome.LEARNED

    def forget_false_alarms(self) -> None:
        """Hear everything again, whether or not the disk takes it.

        Raises:
            LearningError: it holds until the next start only.
        """
        self._replace([])
        self._store.forget_lessons()

    def teaching(self, tell: Callable[[Message | None], None]) -> Teaching:
        """Return what takes the wish to teach a sound."""
        return Teaching(self.school, self.learned.recorder, tell)

    def close(self) -> None:
        """Write what is left, and close the store."""
        with suppress(queue.Full):
            self._traces.put_nowait(None)
        self._writer.join(_CLOSE_S)
        self.school.close()
        self._store.close()

    def _write_traces(self) -> None:
        while (trace := self._traces.get()) is not None:
            try:
                self._store.keep_trace(trace)
            except LearningError as err:
                _LOGGER.warning("Nothing can be learned from a detection: %s", err)
            finally:
                self._traces.task_done()

    def _take(self, kept: list[KeptLesson]) -> None:
        """Take lessons as they were kept; each is held against the reference set anew, in the order it was learned."""
        lessons: list[Lesson] = []
        for item in kept[-MAX_LESSONS:]:
            lesson = learn(
                self._reference, lessons, item.detection_id, item.sound_class, None, item.embeddings
            )
            if isinstance(lesson, Lesson):
                lessons.append(lesson)
        self._replace(lessons)

    def _replace(self, lessons: list[Lesson]) -> None:
        self._lessons = lessons
        quiet = Quiet(self._reference, self._card.classes, lessons) if lessons else None
        self.learned.replace(quiet)
