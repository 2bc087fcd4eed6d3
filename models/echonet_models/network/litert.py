"""Keras networks as LiteRT files, and these at work: the form that satellites run."""

from contextlib import redirect_stdout
from io import StringIO
from typing import TYPE_CHECKING

from ai_edge_litert.interpreter import Interpreter
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import keras


class Runner:
    """A .tflite file of one input."""

    def __init__(self, content: bytes, threads: int = 1) -> None:
        self._interpreter = Interpreter(model_content=content, num_threads=threads)
        self._interpreter.allocate_tensors()
        self.input = self._interpreter.get_input_details()[0]
        self.outputs = self._interpreter.get_output_details()

    def __call__(self, given: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """Return what each output says of the first input, the one with the fewest numbers first."""
        self._interpreter.set_tensor(self.input["index"], given)
        self._interpreter.invoke()
        return sorted(
            (self._interpreter.get_tensor(output["index"])[0] for output in self.outputs), key=np.size
        )


def to_tflite(network: "keras.Model", *, half: bool = False) -> bytes:
    """Return a network as a .tflite; with `half` its weights are kept in 16 bits and computed with in 32."""
    import tensorflow as tf  # noqa: PLC0415 - it loads for seconds, and who only runs a file does not need it

    converter = tf.lite.TFLiteConverter.from_keras_model(network)
    if half:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_types = [tf.float16]
    # The converter lists every tensor of its way there on the standard output.
    with redirect_stdout(StringIO()):
        model: bytes = converter.convert()
    return model
