"""A network and its card: log-mel frames in, the probability of each class out, step by step."""

import hashlib
from math import isfinite
from pathlib import Path
from typing import Any, Final

import numpy as np

from .card import MODEL_FILE, ModelCard, ModelError, read_card
from .frontend import Floats, FrontendParameters, log_mel
from .quiet import native_messages_hidden

__all__ = ["PACKAGED_MODEL", "Classifier", "ModelError", "lead_in", "load_classifier"]

PACKAGED_MODEL: Final = Path(__file__).parent / "model"

# About -70 dB below full scale, for a little more than a second.
LEAD_IN_AMPLITUDE: Final = 3e-4
LEAD_IN_FRAMES: Final = 128


def load_classifier(directory: Path | None = None) -> "Classifier":
    """Load the model of a directory; without one, the model that came with the satellite.

    Raises:
        ModelError: it is missing or damaged, or does not match its card.
    """
    directory = PACKAGED_MODEL if directory is None else directory
    card = read_card(directory)
    path = directory / MODEL_FILE
    try:
        content = path.read_bytes()
    except OSError as err:
        raise ModelError(f"cannot read {path}: {err.strerror}; install the model again") from None
    # The hash comes before the runtime sees a single byte: a truncated file could crash it.
    if hashlib.sha256(content).hexdigest() != card.sha256:
        raise ModelError(
            f"{path} is damaged: it is not the file that its card describes; install the model again"
        )
    return Classifier(card, content, str(path))


def quiet_room(samples: int) -> Floats:
    """Return samples of a quiet room, which a stream is thought to have begun with; a longer one begins the same."""
    return np.random.default_rng(0).normal(0, LEAD_IN_AMPLITUDE, samples).astype(np.float32)


def lead_in(parameters: FrontendParameters) -> Floats:
    """Return the frames [128, n_mels] of a quiet room that a classifier has heard before any stream."""
    return log_mel(quiet_room(parameters.samples_in(LEAD_IN_FRAMES)), parameters)


class Classifier:
    """A streaming network; remembers what it heard from one step to the next. Not for several threads at once."""

    def __init__(self, card: ModelCard, content: bytes, name: str = "the model") -> None:
        """Build the network from the content of a .tflite file.

        Raises:
            ModelError: the runtime cannot use it, or its tensors are not those of the card.
        """
        self.card = card
        self._name = name
        try:
            self._interpreter = _interpreter(content)
        except (RuntimeError, ValueError) as err:
            raise ModelError(f"{name} cannot be used by the LiteRT runtime: {_first_line(err)}") from None
        outputs = (card.outputs_per_step, len(card.classes))
        self._input = self._index("input", card.input, (1, card.step_frames, card.frontend.n_mels))
        self._output = self._index("output", card.output, (1, *outputs))
        self._states = [
            (self._index("input", state.input, state.shape), self._index("output", state.output, state.shape))
            for state in card.states
        ]
        known = {self._input, *(index for index, _ in self._states)}
        if extra := [d["name"] for d in self._interpreter.get_input_details() if d["index"] not in known]:
            raise ModelError(f"{name} does not match its card: input {extra[0]} is not named in it")
        self._frames = np.zeros((1, card.step_frames, card.frontend.n_mels), np.float32)
        self._rested = [np.zeros(state.shape, np.float32) for state in card.states]
        self._rest()

    def step(self, log_mel: Floats) -> Floats:
        """Return the probabilities [outputs_per_step, classes] of the next frames [step_frames, n_mels]."""
        interpreter = self._interpreter
        # One value that is not a number makes the sum none, and a sum costs half as much as a look at each. Asked of
        # what comes in: a model of 8-bit weights would turn it into numbers, and into states that hold for long.
        if not isfinite(log_mel.sum()):
            self.reset()
            return np.zeros((self.card.outputs_per_step, len(self.card.classes)), np.float32)
        self._frames[0] = log_mel
        interpreter.set_tensor(self._input, self._frames)
        interpreter.invoke()
        probabilities: Floats = interpreter.get_tensor(self._output)[0]
        for source, target in self._states:
            interpreter.set_tensor(source, interpreter.get_tensor(target))
        return probabilities

    def reset(self) -> None:
        """Forget what was heard: from now on it was quiet before."""
        for (index, _), state in zip(self._states, self._rested, strict=True):
            self._interpreter.set_tensor(index, state)

    def _rest(self) -> None:
        """Find the states that a quiet moment leaves behind, which `reset` goes back to.

        States of zero would mean that something middling had sounded: a shot that begins a recording would not stand
        out from it.
        """
        self.reset()
        frames = lead_in(self.card.frontend)
        for first in range(0, len(frames) - self.card.step_frames + 1, self.card.step_frames):
            self.step(frames[first : first + self.card.step_frames])
        self._rested = [self._interpreter.get_tensor(target) for _, target in self._states]
        self.reset()

    def _index(self, side: str, tensor: str, shape: tuple[int, ...]) -> int:
        details = getattr(self._interpreter, f"get_{side}_details")()
        for detail in details:
            if detail["name"] == tensor:
                if tuple(detail["shape"]) != shape or detail["dtype"] is not np.float32:
                    found = f"{np.dtype(detail['dtype']).name} {[int(size) for size in detail['shape']]}"
                    raise ModelError(
                        f"{self._name} does not match its card: {side} {tensor} is {found}, not float32 {list(shape)}"
                    )
                return int(detail["index"])
        raise ModelError(f"{self._name} does not match its card: it has no {side} {tensor}")


def _interpreter(content: bytes) -> Any:
    """Return the runtime with the network in it; the one place that chooses the runtime."""
    with native_messages_hidden():
        try:
            from ai_edge_litert.interpreter import Interpreter  # noqa: PLC0415 - either of two, and only when used
        except ImportError:
            try:
                from tflite_runtime.interpreter import Interpreter  # noqa: PLC0415
            except ImportError:
                raise ModelError(
                    "no LiteRT runtime is installed; run: pip install ai-edge-litert (or tflite-runtime)"
                ) from None
        # One thread: the network is too small to share out, and the others belong to the rest of the house.
        interpreter = Interpreter(model_content=content, num_threads=1)
        interpreter.allocate_tensors()
    return interpreter


def _first_line(err: Exception) -> str:
    return str(err).strip().splitlines()[0] if str(err).strip() else type(err).__name__
