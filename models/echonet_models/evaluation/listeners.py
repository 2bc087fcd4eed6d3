"""Who listens: anything that gives probabilities of the eight classes every 80 ms. Here our own network, twice."""

from collections.abc import Sequence
import hashlib
from pathlib import Path
from typing import Protocol

import numpy as np

from echonet_satellite.classifier import load_classifier
from echonet_satellite.detector import STEP_S

from ..activity import STEP, WINDOW_STEPS
from ..calibration import read_calibration
from ..datasets import Clip
from ..listening import Probabilities, listen, stream
from ..recordings import SAMPLE_RATE, Recordings, Samples
from ..training import fingerprint, load_network

# The satellite hears 160 ms at a time, and the last of its frames looks 22 ms beyond them.
BLOCK_STEPS = 2
FRAME_OVERLAP_S = 0.022


class Listener(Protocol):
    """Something that hears sounds.

    Attributes:
        name: what its results are kept under.
        title: what a person calls it.
        fingerprint: SHA-256 of all that its probabilities depend on; the results of another are not used.
        reach: the steps, from the start of a window of 0.96 s, in which it says what it heard in that window.
        batch: how many sounds it likes to hear at once.
    """

    name: str
    title: str
    fingerprint: str
    reach: tuple[int, int]
    batch: int

    def hear(self, sounds: Sequence[Samples]) -> list[Probabilities]:
        """Return the probabilities [steps, 8] of each sound, 16 kHz mono, and of a moment of silence after it.

        A row holds nothing that was not yet known at the time that `known_s` gives.
        """

    def known_s(self, step: int) -> float:
        """Return when a row of probabilities is known at the earliest, in seconds from the start of a sound."""


class Trained:
    """The network of a training, whole sounds at a time."""

    name = "trained"
    title = "EchoNet"
    reach = (0, WINDOW_STEPS)
    batch = 400

    def __init__(self, run: Path) -> None:
        """Load the best state of a training, calibrated if it has been."""
        self._network = load_network(run)
        calibration = repr(read_calibration(run))
        self.fingerprint = hashlib.sha256((fingerprint(run) + calibration).encode()).hexdigest()

    def hear(self, sounds: Sequence[Samples]) -> list[Probabilities]:
        """Return the probabilities [steps, 8] of each sound."""
        starts = np.cumsum([0, *(len(sound) for sound in sounds)]).tolist()
        clips = [_nameless(str(number)) for number in range(len(sounds))]
        recordings = Recordings(
            np.concatenate([to_int16(sound) for sound in sounds]),
            {clip.path: (starts[number], starts[number + 1]) for number, clip in enumerate(clips)},
        )
        heard = listen(self._network, recordings, clips, f"{self.title} listening")
        return [heard[clip.path] for clip in clips]

    def known_s(self, step: int) -> float:
        """Return the end of the block of two steps that a row is in, with what its last frame overlaps."""
        return (step // BLOCK_STEPS + 1) * BLOCK_STEPS * STEP_S + FRAME_OVERLAP_S


class Released:
    """A released model, block by block through the satellite's own classifier."""

    name = "released"
    title = "EchoNet"
    reach = (0, WINDOW_STEPS)
    batch = 200

    def __init__(self, directory: Path) -> None:
        """Load a release: its model and its card."""
        self._classifier = load_classifier(directory)
        self.card = self._classifier.card
        self.fingerprint = self.card.sha256

    def hear(self, sounds: Sequence[Samples]) -> list[Probabilities]:
        """Return the probabilities [steps, 8] of each sound."""
        return [stream(self._classifier, sound) for sound in sounds]

    def known_s(self, step: int) -> float:
        """Return the end of the block that a row is in, with what its last frame overlaps."""
        steps = self.card.outputs_per_step
        overlap = self.card.frontend.n_fft - self.card.frontend.hop_length
        return (step // steps + 1) * steps * STEP_S + overlap / SAMPLE_RATE


def to_int16(samples: Samples) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    """Return samples as a sound card gives them."""
    return np.clip(np.rint(samples * 32768), -32768, 32767).astype(np.int16)


def hold(scores: Probabilities, first: int, hop: int) -> Probabilities:
    """Return rows of 80 ms from scores of windows: nothing before step `first`, then each for `hop` steps.

    What a listener of windows knows at any time is the score of the last window that has ended.
    """
    quiet = np.zeros((first, scores.shape[1]), np.float32)
    return np.concatenate([quiet, np.repeat(scores.astype(np.float32), hop, axis=0)])


def step_after(seconds: float) -> int:
    """Return the first step that ends no earlier than this."""
    return -(-round(seconds * SAMPLE_RATE) // STEP) - 1


def _nameless(path: str) -> Clip:
    return Clip(path=path, label="", origin=path)
