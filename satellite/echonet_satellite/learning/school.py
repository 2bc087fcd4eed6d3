"""Sounds of the home's own: kept as recordings, made into classes, recognised in the hearing."""

from collections.abc import Callable
from dataclasses import replace
import logging
import threading
from typing import Final
import uuid

from ..errors import LearningError
from ..frontend import Floats
from ..protocol import Taught, TaughtSound, TeachHint, TeachOutcome
from .examples import Recorded, trimmed
from .learned import Learned
from .reference import Reference
from .sounds import MAX_EXAMPLES, MAX_SOUNDS, NEEDED, Sound, alike, teach
from .store import Example, KeptSound, LearningStore

_LOGGER = logging.getLogger(__name__)

# So long a satellite listens for one recording.
LISTEN_S: Final = 8.0
# Of 100 recordings of a thing, 98 are more like the ones before than this, and of other things 96 less.
UNLIKE: Final = 0.3
SHORT_S: Final = 0.15


class School:
    """The taught sounds of one satellite; safe to use from several threads, one lesson at a time."""

    def __init__(
        self,
        store: LearningStore,
        reference: Reference,
        learned: Learned,
        model: str,
        hear: Callable[[Floats], Recorded | None],
    ) -> None:
        """Begin with what the store remembers; `hear` says what a recording is to the network, if it is not silent."""
        self._store = store
        self._reference = reference
        self._learned = learned
        self._model = model
        self._hear = hear
        self._lock = threading.RLock()
        self._closed = False
        self._kept: list[KeptSound] = []
        self._ready: dict[str, Sound] = {}
        self.reload()
        # Another network hears many recordings for minutes, and alarms do not wait for it.
        self._hearing_anew = threading.Thread(target=self._hear_anew, name="recordings", daemon=True)
        self._hearing_anew.start()

    @property
    def sounds(self) -> tuple[TaughtSound, ...]:
        """What was taught."""
        return tuple(
            TaughtSound(
                id=sound.id,
                name=sound.name,
                examples=len(sound.examples),
                ready=sound.id in self._ready,
            )
            for sound in self._kept
        )

    def reload(self) -> None:
        """Take what the store has: another process may have taught."""
        with self._lock:
            self._kept = self._store.sounds()
            self._ready = {
                sound.id: teach(self._reference, sound.id, sound.name, known)
                for sound in self._kept
                if len(known := self._heard(sound)) >= NEEDED
            }
            self._learned.replace_sounds(self._reference, list(self._ready.values()))

    def wait(self) -> None:
        """Wait until all recordings are known as this network hears them."""
        self._hearing_anew.join()

    def close(self) -> None:
        """Hear nothing anew any more; what is under way is finished."""
        self._closed = True
        self.wait()

    def teach(self, name: str, samples: Floats) -> Taught:
        """Take a recording of a sound; the first few make it a class, and more make it a better one.

        Raises:
            LearningError: it cannot be kept.
        """
        with self._lock:
            known = self._find(name)
            examples = 0 if known is None else len(known.examples)
            if examples >= MAX_EXAMPLES or (known is None and len(self._kept) >= MAX_SOUNDS):
                return Taught(name=name, outcome=TeachOutcome.FULL, examples=examples, needed=NEEDED)
            excerpt = trimmed(samples)
            recorded = self._hear(excerpt)
            if recorded is None:
                return Taught(name=name, outcome=TeachOutcome.NOTHING_HEARD, examples=examples, needed=NEEDED)
            hint = self._hint(known, recorded)
            sound_id = uuid.uuid4().hex if known is None else known.id
            self._store.keep_example(
                sound_id, name, Example(samples=excerpt, model=self._model, embeddings=recorded.embeddings)
            )
            self.reload()
        return Taught(
            name=name,
            outcome=TeachOutcome.LEARNED,
            examples=examples + 1,
            needed=NEEDED,
            hint=hint,
            sound_class=recorded.sound_class if hint is TeachHint.KNOWN else None,
        )

    def forget(self, sound_ids: tuple[str, ...]) -> None:
        """Forget sounds, and their recordings.

        Raises:
            LearningError: they are still on the disk.
        """
        with self._lock:
            for sound_id in sound_ids:
                self._store.forget_sound(sound_id)
            self.reload()

    def recordings(self, sound_id: str) -> list[Floats]:
        """Return the recordings of a sound, 16 kHz."""
        return [example.samples for sound in self._kept if sound.id == sound_id for example in sound.examples]

    def _find(self, name: str) -> KeptSound | None:
        wanted = name.casefold()
        return next((sound for sound in self._kept if sound.name.casefold() == wanted), None)

    def _hint(self, known: KeptSound | None, recorded: Recorded) -> TeachHint | None:
        before = [] if known is None else self._heard(known)
        if before and alike(self._reference, recorded.embeddings, before) < UNLIKE:
            return TeachHint.UNLIKE
        if recorded.seconds < SHORT_S:
            return TeachHint.SHORT
        return None if recorded.sound_class is None else TeachHint.KNOWN

    def _heard(self, sound: KeptSound) -> list[Floats]:
        """Return the embeddings of those recordings that this network has heard."""
        return [example.embeddings for example in sound.examples if example.model == self._model]

    def _hear_anew(self) -> None:
        """Hear the recordings that another network has heard."""
        old = [example for sound in self._kept for example in sound.examples if example.model != self._model]
        for example in old:
            if self._closed:
                return
            try:
                if (recorded := self._hear(example.samples)) is not None:
                    anew = replace(example, model=self._model, embeddings=recorded.embeddings)
                    self._store.hear_anew(anew)
                    self.reload()
            except LearningError as err:
                _LOGGER.warning("A recording that was taught cannot be heard anew: %s", err)
