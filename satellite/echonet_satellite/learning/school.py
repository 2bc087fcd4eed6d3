"""Sounds of the home's own: kept as recordings, made into classes, recognised in the hearing."""

from collections.abc import Callable
from typing import Final
import uuid

from ..frontend import Floats
from ..protocol import Taught, TaughtSound, TeachOutcome
from .examples import trimmed
from .learned import Learned
from .reference import Reference
from .sounds import MAX_EXAMPLES, MAX_SOUNDS, NEEDED, Sound, teach
from .store import Example, KeptSound, LearningStore

# So long a satellite listens for one recording.
LISTEN_S: Final = 8.0


class School:
    """The taught sounds of one satellite; safe to use from several threads, one lesson at a time."""

    def __init__(
        self,
        store: LearningStore,
        reference: Reference,
        learned: Learned,
        model: str,
        embed: Callable[[Floats], Floats],
    ) -> None:
        """Begin with what the store remembers; `embed` gives the moments of a recording as the network hears them."""
        self._store = store
        self._reference = reference
        self._learned = learned
        self._model = model
        self._embed = embed
        self._kept: list[KeptSound] = []
        self._ready: dict[str, Sound] = {}
        self.reload()

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
        self._kept = self._store.sounds()
        self._ready = {
            sound.id: teach(self._reference, sound.id, sound.name, examples)
            for sound in self._kept
            if len(examples := self._moments(sound)) >= NEEDED
        }
        self._learned.replace_sounds(self._reference, list(self._ready.values()))

    def teach(self, name: str, samples: Floats) -> Taught:
        """Take a recording of a sound; the first few make it a class, and more make it a better one.

        Raises:
            LearningError: it cannot be kept.
        """
        known = self._find(name)
        examples = 0 if known is None else len(known.examples)
        if examples >= MAX_EXAMPLES or (known is None and len(self._kept) >= MAX_SOUNDS):
            return Taught(name=name, outcome=TeachOutcome.FULL, examples=examples, needed=NEEDED)
        excerpt = trimmed(samples)
        embeddings = self._embed(excerpt)
        if not len(embeddings):
            return Taught(name=name, outcome=TeachOutcome.NOTHING_HEARD, examples=examples, needed=NEEDED)
        sound_id = uuid.uuid4().hex if known is None else known.id
        self._store.keep_example(
            sound_id, name, Example(samples=excerpt, model=self._model, embeddings=embeddings)
        )
        self.reload()
        return Taught(name=name, outcome=TeachOutcome.LEARNED, examples=examples + 1, needed=NEEDED)

    def forget(self, sound_ids: tuple[str, ...]) -> None:
        """Forget sounds, and their recordings.

        Raises:
            LearningError: they are still on the disk.
        """
        for sound_id in sound_ids:
            self._store.forget_sound(sound_id)
        self.reload()

    def _find(self, name: str) -> KeptSound | None:
        wanted = name.casefold()
        return next((sound for sound in self._kept if sound.name.casefold() == wanted), None)

    def _moments(self, sound: KeptSound) -> list[Floats]:
        """Return the moments of each recording; those of another network are heard anew."""
        found = []
        for example in sound.examples:
            embeddings = example.embeddings
            if example.model != self._model:
                embeddings = self._embed(example.samples)
            if len(embeddings):
                found.append(embeddings)
        return found
