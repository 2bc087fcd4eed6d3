"""A network and its card: log-mel frames in, what is heard in the window that ends with them out, step by step."""

from copy import copy
from dataclasses import dataclass
import hashlib
from math import isfinite
from pathlib import Path
import threading
from typing import Any, Final

import numpy as np

from .card import MODEL_FILE, ModelCard, ModelError, read_card
from .frontend import Floats, log_mel
from .quiet import native_messages_hidden

__all__ = ["AUDIOSET_CLASSES", "PACKAGED_MODEL", "Classifier", "Heard", "ModelError", "load_classifier"]

PACKAGED_MODEL: Final = Path(__file__).parent / "model"
AUDIOSET_CLASSES: Final = 527

# About -70 dB below full scale.
QUIET_AMPLITUDE: Final = 3e-4
# How many windows are kept one behind the other: rarely must the last one move to the front.
_WINDOWS: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Heard:
    """What the network hears in one window.

    Attributes:
        probabilities: of the card's classes, each by itself.
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
    return np.random.default_rng(0).normal(0, QUIET_AMPLITUDE, samples).astype(np.float32)


class Classifier:
    """A network, and the frames that it sees at once. Each stream of sound has one of its own, of the same network."""

    def __init__(self, card: ModelCard, content: bytes, name: str = "the model") -> None:
        """Build the network from the content of a .tflite file.

        Raises:
            ModelError: the runtime cannot use it, or its tensors are not those of the card.
        """
        self.card = card
        self._name = name
        bands = card.frontend.n_mels
        try:
            self._interpreter = _interpreter(content)
        except (RuntimeError, ValueError) as err:
            raise ModelError(f"{name} cannot be used by the LiteRT runtime: {_first_line(err)}") from None
        self._inputs, self._outputs = _tensors(self._interpreter)
        tensors = card.tensors
        self._input = self._index("input", tensors.input, (1, card.window_frames, bands))
        self._probabilities = self._index("output", tensors.probabilities, (1, len(card.classes)))
        self._audioset = self._index("output", tensors.audioset, (1, AUDIOSET_CLASSES))
        self._embedding = self._index("output", tensors.embedding, (1, card.embedding_size))
        if extra := [name for name, detail in self._inputs.items() if detail["index"] != self._input]:
            raise ModelError(f"{self._name} does not match its card: input {extra[0]} is not named in it")
        self._quiet = log_mel(quiet_room(card.frontend.samples_in(card.window_frames)), card.frontend)
        self._turn = threading.Lock()
        self._frames = np.empty((_WINDOWS * card.window_frames, bands), np.float32)
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
        window = self._window(log_mel)
        interpreter = self._interpreter
        with self._turn:
            interpreter.set_tensor(self._input, window)
            interpreter.invoke()
            return Heard(
                probabilities=interpreter.get_tensor(self._probabilities)[0],
                audioset=interpreter.get_tensor(self._audioset)[0],
                embedding=interpreter.get_tensor(self._embedding)[0],
            )

    def reset(self) -> None:
        """Forget what was heard: from now on it was quiet before."""
        self._end = len(self._quiet)
        self._frames[: self._end] = self._quiet

    def _window(self, new: Floats) -> Floats:
        """Return the window [1, window_frames, n_mels] that ends with new frames, without moving those before."""
        kept = self.card.window_frames - len(new)
        if self._end + len(new) > len(self._frames):
            self._frames[:kept] = self._frames[self._end - kept : self._end]
            self._end = kept
        self._frames[self._end : self._end + len(new)] = new
        self._end += len(new)
        return self._frames[None, self._end - self.card.window_frames : self._end]

    def _index(self, side: str, tensor: str, shape: tuple[int, ...]) -> int:
        detail = (self._inputs if side == "input" else self._outputs).get(tensor)
        if detail is None:
            raise ModelError(f"{self._name} does not match its card: it has no {side} {tensor}")
        if tuple(detail["shape"]) != shape or detail["dtype"] is not np.float32:
            found = f"{np.dtype(detail['dtype']).name} {[int(size) for size in detail['shape']]}"
            raise ModelError(
                f"{self._name} does not match its card: {side} {tensor} is {found}, not float32 {list(shape)}"
            )
        return int(detail["index"])


def _tensors(interpreter: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the network's inputs and outputs by the names of its tensors, and of its signature where it has one."""
    inputs = {detail["name"]: detail for detail in interpreter.get_input_details()}
    outputs = {detail["name"]: detail for detail in interpreter.get_output_details()}
    if len(interpreter.get_signature_list()) == 1:
        runner = interpreter.get_signature_runner()
        inputs |= runner.get_input_details()
        outputs |= runner.get_output_details()
    return inputs, outputs


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
