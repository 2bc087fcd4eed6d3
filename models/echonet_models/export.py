"""Write a trained network as a `.tflite` of the step form, with its card."""

from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import asdict
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

from .datasets import CLASSES
from .errors import ModelsError
from .networks.streaming import StreamingNetwork

MODEL_FILE = "model.tflite"
CARD_FILE = "model.json"
AGREEMENT = 0.02


def to_tflite(step: keras.Model) -> bytes:
    """Return the step form as a LiteRT model with float16 weights."""
    converter = tf.lite.TFLiteConverter.from_keras_model(step)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_types = [tf.float16]
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
) -> Path:
    """Write `model.tflite` and `model.json` into `directory` and return the path of the card."""
    step = network.build_step()
    model = to_tflite(step)
    card = {
        "name": name,
        "version": version,
        "sha256": hashlib.sha256(model).hexdigest(),
        "classes": [str(sound_class) for sound_class in CLASSES],
        "frontend": asdict(FrontendParameters()),
        "step_frames": network.shape.step_frames,
        "outputs_per_step": network.shape.outputs_per_step,
        "tensors": match_tensors(model, step),
        "network": network.shape.to_json(),
        "decision": decision,
        "metrics": metrics,
        "data": data,
    }
    directory.mkdir(parents=True, exist_ok=True)
    (directory / MODEL_FILE).write_bytes(model)
    path = directory / CARD_FILE
    path.write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
    return path


def _input_name(name: str) -> str:
    return name.removeprefix("serving_default_").removesuffix(":0")


def _closest(expected: np.ndarray, outputs: Mapping[str, np.ndarray]) -> str:
    same: Sequence[str] = [name for name, value in outputs.items() if value.shape == expected.shape]
    if not same:
        raise ModelsError("the converted model lacks an output of the network")
    best = min(same, key=lambda name: float(np.abs(outputs[name] - expected).max()))
    if float(np.abs(outputs[best] - expected).max()) > AGREEMENT * max(1.0, float(np.abs(expected).max())):
        raise ModelsError("the converted model does not compute what the network computes")
    return best
