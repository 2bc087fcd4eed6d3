"""What a listener has heard, kept by the sound itself.

A stopped evaluation goes on where it was, and a peer, which does not change, hears each sound once.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
import hashlib
from pathlib import Path
import zipfile

import numpy as np

from ..listening import Probabilities
from ..progress import track
from ..recordings import Samples
from .listeners import Listener, to_int16


@dataclass(frozen=True, slots=True)
class Sound:
    """Something to hear: a clip or a mixture, made when it is needed."""

    key: str
    samples: Callable[[], Samples]


class Store:
    """The probabilities of one listener, in a folder of its own per fingerprint."""

    def __init__(self, listener: Listener, folder: Path) -> None:
        """Read what is there."""
        self._listener = listener
        self._folder = folder / f"heard-{listener.name}-{listener.fingerprint[:12]}"
        self._heard: dict[str, Probabilities] = {}
        for part in sorted(self._folder.glob("*.npz")):
            self._read(part)

    def hear(self, sounds: Sequence[Sound], what: str) -> dict[str, Probabilities]:
        """Return the probabilities [steps, 8] of each sound, by its key; those not yet known are heard now."""
        digests: dict[str, str] = {}
        waiting: list[Samples] = []
        for number, sound in enumerate(track(sounds, f"{self._listener.title}: {what}"), 1):
            samples = sound.samples()
            digests[sound.key] = digest = _digest(samples)
            if digest not in self._heard:
                waiting.append(samples)
            if len(waiting) >= self._listener.batch or (waiting and number == len(sounds)):
                self._hear(waiting)
                waiting = []
        return {key: self._heard[digest] for key, digest in digests.items()}

    def _hear(self, sounds: Sequence[Samples]) -> None:
        heard = dict(zip((_digest(samples) for samples in sounds), self._listener.hear(sounds), strict=True))
        self._folder.mkdir(parents=True, exist_ok=True)
        name = hashlib.sha256("".join(heard).encode()).hexdigest()[:16]
        unfinished = self._folder / f"{name}.partial"
        with unfinished.open("wb") as stream:
            np.savez_compressed(stream, allow_pickle=False, **heard)
        unfinished.replace(self._folder / f"{name}.npz")
        self._heard.update(heard)

    def _read(self, part: Path) -> None:
        try:
            with np.load(part) as stored:
                self._heard.update({name: stored[name] for name in stored.files})
        except (OSError, ValueError, zipfile.BadZipFile):
            # Only the power can fail between two bytes of it; it is heard again.
            part.unlink()


def _digest(samples: Samples) -> str:
    # Rounded as a recording is: the same sound made on another machine differs in the last bit of a float.
    return hashlib.sha256(to_int16(samples).tobytes()).hexdigest()[:32]
