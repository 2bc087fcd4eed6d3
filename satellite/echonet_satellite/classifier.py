"""A network and its card: log-mel frames in, what is heard in the window that ends with them out, step by step."""

from copy import copy
from dataclasses import dataclass
from math import ceil, isfinite
from pathlib import Path
from typing import Final

import numpy as np

from .card import MODEL_FILE, SECOND_LOOK_FILE, ModelCard, ModelError, read_card
from .frontend import Floats, log_mel
from .network import Network, read_network_file
from .second_look import SecondLook

__all__ = ["AUDIOSET_CLASSES", "PACKAGED_MODEL", "Classifier", "Heard", "ModelError", "load_classifier"]

PACKAGED_MODEL: Final = Path(__file__).parent / "model"
AUDIOSET_CLASSES: Final = 527

# About -70 dB below full scale.
QUIET_AMPLITUDE: Final = 3e-4
# How many times what is needed is kept one behind the other: rarely must the last of it move to the front.
_REACHES: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Heard:
    """What the network hears in one window.

    Attributes:
        probabilities: of the card's classes, each by itself, after a second look where one was needed.
        audioset: probabilities of AudioSet's 527 classes.
        embedding: numbers that are alike for sounds that are alike.
    """

    probabilities: Floats
    audioset: Floats
    embedding: Floats


def load_classifier(directory: Path | None = None) -> "Classifier":
    """Load the model of a directory; without one, the model that came with the satellite.

    Raises:
        ModelError: it is missing or damaged, or does not match its card.
    """
    directory = PACKAGED_MODEL if directory is None else directory
    card = read_card(directory)
    path = directory / MODEL_FILE
    content = read_network_file(path, card.sha256)
    if card.second_look is None:
        return Classifier(card, content, str(path))
    other = directory / SECOND_LOOK_FILE
    look = SecondLook(card, card.second_look, read_network_file(other, card.second_look.sha256), str(other))
    return Classifier(card, content, str(path), look)


def quiet_room(samples: int) -> Floats:
    """Return samples of a quiet room, which a stream is thought to have begun with; a longer one begins the same."""
    return np.random.default_rng(0).normal(0, QUIET_AMPLITUDE, samples).astype(np.float32)


class Classifier:
    """A network, and the frames that it sees at once. Each stream of sound has one of its own, of the same network."""

    def __init__(
        self, card: ModelCard, content: bytes, name: str = "the model", look: SecondLook | None = None
    ) -> None:
        """Build the network from the content of a .tflite file; `look` is taken where it finds something likely.

        Raises:
            ModelError: the runtime cannot use it, or its tensors are not those of the card.
        """
        self.card = card
        bands = card.frontend.n_mels
        tensors = card.tensors
        self._network = Network(
            content,
            name,
            (tensors.input, (1, card.window_frames, bands)),
            (tensors.probabilities, (1, len(card.classes))),
            (tensors.audioset, (1, AUDIOSET_CLASSES)),
            (tensors.embedding, (1, card.embedding_size)),
        )
        self._look = look
        self._reach = max(card.window_frames, look.window_frames if look else 0)
        quiet = log_mel(quiet_room(card.frontend.samples_in(card.window_frames)), card.frontend)
        self._quiet = np.tile(quiet, (ceil(self._reach / len(quiet)), 1))[-self._reach :]
        self._frames = np.empty((_REACHES * self._reach, bands), np.float32)
        self._end = 0
        self.reset()

    def for_another_stream(self) -> "Classifier":
        """Return one that hears another stream, in another thread if need be, with the same network."""
        other = copy(self)
        other._frames = np.empty_like(self._frames)  # noqa: SLF001 - it is of this class
        other.reset()
        return other

    def step(self, log_mel: Floats) -> Heard:
        """Return what is heard once the next frames [step_frames, n_mels] are there."""
        card = self.card
        # One NaN makes the sum NaN, and a sum costs half as much as a look at each value. It is the input that is
        # checked: a model of 8-bit weights turns NaN into ordinary numbers, and the window would keep it for long.
        if not isfinite(log_mel.sum()):
            self.reset()
            return Heard(
                probabilities=np.zeros(len(card.classes), np.float32),
                audioset=np.zeros(AUDIOSET_CLASSES, np.float32),
                embedding=np.zeros(card.embedding_size, np.float32),
            )
        self._take(log_mel)
        probabilities, audioset, embedding = self._network(self._last(card.window_frames))
        if self._look is not None:
            probabilities = self._look(probabilities, self._last(self._look.window_frames))
        return Heard(probabilities=probabilities, audioset=audioset, embedding=embedding)

    def reset(self) -> None:
        """Forget what was heard: from now on it was quiet before."""
        self._end = len(self._quiet)
        self._frames[: self._end] = self._quiet

    def _take(self, new: Floats) -> None:
        """Keep new frames behind those before, which rarely move."""
        kept = self._reach - len(new)
        if self._end + len(new) > len(self._frames):
            self._frames[:kept] = self._frames[self._end - kept : self._end]
            self._end = kept
        self._frames[self._end : self._end + len(new)] = new
        self._end += len(new)

    def _last(self, frames: int) -> Floats:
        """Return the last frames, [1, frames, n_mels]."""
        return self._frames[None, self._end - frames : self._end]
