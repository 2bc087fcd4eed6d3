"""Write a trained network as a `.tflite` of the step form, with its card."""

from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import asdict, dataclass
from enum import StrEnum
import hashlib
from io import StringIO
import json
from pathlib import Path
from typing import Any

from ai_edge_litert.interpreter import Interpreter
import keras
import numpy as np
import tensorflow as tf

from echonet_satellite.frontend import FrontendParameters

from .agreement import Agreement, compare, step_microseconds
from .datasets import CLASSES
from .errors import ModelsError
from .networks.streaming import StreamingNetwork

MODEL_FILE = "model.tflite"
CARD_FILE = "model.json"
# How far an output may be from the network's, as a part of the largest value in it, to be taken for that output.
ALIKE = 0.1


class Precision(StrEnum):
    """How weights are stored; what a step computes with them.

    `int8`: weights of 8 bits, multiplied with what the step quantises on the way, by XNNPACK. `float16`: weights of
    16 bits that become float32 when the model is loaded.
    """

    INT8 = "int8"
    FLOAT16 = "float16"


# How far a probability may be from the network's: well below what a threshold tells apart.
AGREEMENT = {Precision.INT8: 0.05, Precision.FLOAT16: 0.02}


@dataclass(frozen=True, slots=True)
class Conversion:
    """A network as a `.tflite`: its tensors by what they are, and how far it is from the network."""

    precision: Precision
    model: bytes
    tensors: dict[str, Any]
    agreement: Agreement

    def __str__(self) -> str:
        """Say in one line how large, fast and faithful it is; measures the speed."""
        return (
            f"{self.precision:>8}: {len(self.model) / 1e6:.2f} MB, {step_microseconds(self.model):.0f} us per step, "
            f"probabilities {self.agreement.mean:.5f} off on average and {self.agreement.largest:.4f} at most"
        )


def convert(network: StreamingNetwork, precision: Precision = Precision.INT8) -> Conversion:
    """Return the step form of a network as a LiteRT model.

    Raises:
        ModelsError: what comes out computes something else than the network.
    """
    step = network.build_step()
    model = to_tflite(step, precision)
    tensors = match_tensors(model, step)
    agreement = compare(model, tensors, network)
    if not agreement.largest <= AGREEMENT[precision]:
        raise ModelsError(
            f"with {precision} weights a probability is {agreement.largest:.3f} off; export with another --precision"
        )
    return Conversion(precision, model, tensors, agreement)


def to_tflite(step: keras.Model, precision: Precision = Precision.INT8) -> bytes:
    """Return the step form as a LiteRT model."""
    converter = tf.lite.TFLiteConverter.from_keras_model(step)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if precision is Precision.FLOAT16:
        converter.target_spec.supported_types = [tf.float16]
    # One scale for each output of a dense layer is too new for the runtime of a 32-bit Raspberry Pi OS.
    converter._experimental_disable_per_channel_quantization_for_dense_layers = True  # noqa: SLF001
    # The converter lists every tensor of its way there on the standard output.
    with redirect_stdout(StringIO()):
        model: bytes = converter.convert()
    return model


def match_tensors(model: bytes, step: keras.Model) -> dict[str, Any]:
    """Return which tensor of the file is which input, output and state.

    The converter keeps the names of inputs but renames outputs, and two states may have one shape. So the outputs are
    found by value: the file and the Keras model are fed the same random numbers.

    Raises:
        ModelsError: the file computes something else than the network.
    """
    generator = np.random.default_rng(0)
    values = [generator.normal(size=tensor.shape).astype(np.float32) for tensor in step.inputs]
    expected = [np.asarray(value) for value in step(values)]
    interpreter = Interpreter(model_content=model, num_threads=1)
    interpreter.allocate_tensors()
    details = interpreter.get_input_details()
    names = {_input_name(detail["name"]): detail for detail in details}
    for tensor, value in zip(step.inputs, values, strict=True):
        interpreter.set_tensor(names[tensor.name]["index"], value)
    interpreter.invoke()
    outputs = {
        detail["name"]: interpreter.get_tensor(detail["index"]) for detail in interpreter.get_output_details()
    }
    found = [_closest(value, outputs) for value in expected]
    if len(set(found)) != len(found):
        raise ModelsError("the converted model merged two of its outputs; its states cannot be told apart")
    inputs = [names[tensor.name]["name"] for tensor in step.inputs]
    return {
        "input": inputs[0],
        "output": found[0],
        "states": [
            {"input": source, "output": target, "shape": list(tensor.shape)}
            for source, target, tensor in zip(inputs[1:], found[1:], step.inputs[1:], strict=True)
        ],
    }


def write_release(
    directory: Path,
    network: StreamingNetwork,
    *,
    name: str,
    version: str,
    decision: Mapping[str, Any],
    metrics: Mapping[str, Any],
    data: Mapping[str, Any],
    precision: Precision = Precision.INT8,
) -> Path:
    """Write `model.tflite` and `model.json` into `directory` and return the path of the card.

    Raises:
        ModelsError: the converted model computes something else than the network.
    """
    conversion = convert(network, precision)
    card = {
        "name": name,
        "version": version,
        "sha256": hashlib.sha256(conversion.model).hexdigest(),
        "classes": [str(sound_class) for sound_class in CLASSES],
        "frontend": asdict(FrontendParameters()),
        "step_frames": network.shape.step_frames,
        "outputs_per_step": network.shape.outputs_per_step,
        "tensors": conversion.tensors,
        "network": network.shape.to_json(),
        "precision": {"weights": str(precision), "agreement": conversion.agreement.to_json()},
        "decision": decision,
        "metrics": metrics,
        "data": data,
    }
    directory.mkdir(parents=True, exist_ok=True)
    (directory / MODEL_FILE).write_bytes(conversion.model)
    path = directory / CARD_FILE
    store_card(path, card)
    return path


def store_card(path: Path, card: Mapping[str, Any]) -> None:
    """Write a card."""
    path.write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")


def _input_name(name: str) -> str:
    return name.removeprefix("serving_default_").removesuffix(":0")


def _closest(expected: np.ndarray, outputs: Mapping[str, np.ndarray]) -> str:
    same: Sequence[str] = [name for name, value in outputs.items() if value.shape == expected.shape]
    if not same:
        raise ModelsError("the converted model lacks an output of the network")
    best = min(same, key=lambda name: float(np.abs(outputs[name] - expected).max()))
    if float(np.abs(outputs[best] - expected).max()) > ALIKE * max(1.0, float(np.abs(expected).max())):
        raise ModelsError("the converted model does not compute what the network computes")
    return best
