"""A network of a .tflite file: one array in, the arrays that its card names out."""

import hashlib
from pathlib import Path
import threading
from typing import Any

import numpy as np

from .card import ModelError
from .frontend import Floats
from .quiet import native_messages_hidden

Shape = tuple[int, ...]


def read_network_file(path: Path, sha256: str) -> bytes:
    """Return the content of the file at `path`.

    Raises:
        ModelError: it cannot be read, or is not the one that its card describes.
    """
    try:
        content = path.read_bytes()
    except OSError as err:
        raise ModelError(f"cannot read {path}: {err.strerror}; install the model again") from None
    # The hash comes before the runtime sees a single byte: a truncated file could crash it.
    if hashlib.sha256(content).hexdigest() != sha256:
        raise ModelError(
            f"{path} is damaged: it is not the file that its card describes; install the model again"
        )
    return content


class Network:
    """A network at work; several threads may ask it, one after the other."""

    def __init__(
        self, content: bytes, name: str, takes: tuple[str, Shape], *gives: tuple[str, Shape]
    ) -> None:
        """Build it from the content of a file; tensors are named as in the file or in its signature, with their shape.

        Raises:
            ModelError: the runtime cannot use it, or it has other tensors than these.
        """
        self._name = name
        self._turn = threading.Lock()
        try:
            self._interpreter = _interpreter(content)
        except (RuntimeError, ValueError) as err:
            raise ModelError(f"{name} cannot be used by the LiteRT runtime: {_first_line(err)}") from None
        inputs, outputs = _tensors(self._interpreter)
        self._input = self._index("input", inputs, *takes)
        self._outputs = tuple(self._index("output", outputs, *given) for given in gives)
        if extra := [tensor for tensor, detail in inputs.items() if detail["index"] != self._input]:
            raise ModelError(f"{name} does not match its card: input {extra[0]} is not named in it")

    def __call__(self, given: Floats) -> tuple[Floats, ...]:
        """Return what each output says of the first input."""
        with self._turn:
            self._interpreter.set_tensor(self._input, given)
            self._interpreter.invoke()
            return tuple(self._interpreter.get_tensor(output)[0] for output in self._outputs)

    def _index(self, side: str, known: dict[str, Any], tensor: str, shape: Shape) -> int:
        detail = known.get(tensor)
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
