"""Small networks in the layout of the released one, as .tflite files with their cards, built without a converter."""

from collections.abc import Mapping
from dataclasses import asdict
import hashlib
import json
from pathlib import Path
from typing import Any

from ai_edge_litert import schema_py_generated as schema
import flatbuffers
import numpy as np
from numpy.typing import NDArray

from echonet_satellite.classifier import AUDIOSET_CLASSES
from echonet_satellite.frontend import Floats, FrontendParameters
from echonet_satellite.protocol import SoundClass

EMBEDDING_SIZE = 24
WINDOW_FRAMES = 160
STEP_FRAMES = 16
PARAMETERS = FrontendParameters()
# The mean over the bands of a frame at which a sound counts as loud: between a quiet room and one who speaks in it.
LOUD = -0.3


def write_model(directory: Path, **changes: object) -> Path:
    """Write a network that takes whatever is loud, anywhere in its window, for a gunshot; and its card."""
    directory.mkdir(parents=True, exist_ok=True)
    content = loudness_network()
    (directory / "model.tflite").write_bytes(content)
    (directory / "model.json").write_text(json.dumps(card(content) | changes))
    return directory


def write_second_look(directory: Path, *, frames: int = 480, **changes: object) -> Path:
    """Add to such a model a network that takes what was loud in so many frames for everything: its logits are 4 or -6.

    It is asked for shots and glass, has half a say, and keeps the other classes as they are.
    """
    content = second_look_network(frames)
    (directory / "second_look.tflite").write_bytes(content)
    look = {
        "sha256": hashlib.sha256(content).hexdigest(),
        "window_frames": frames,
        "input": "log_mel",
        "logits": "logits",
        "shares": {"gunshot": 0.5, "glass_break": 0.5},
        "likely": {"gunshot": 0.2, "glass_break": 0.2},
    }
    path = directory / "model.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"second_look": look | changes}))
    return directory


def card(content: bytes) -> dict[str, Any]:
    """Return the card of such a network."""
    decision = {
        "thresholds": {"low": 0.9, "medium": 0.7, "high": 0.5},
        "leave_ratio": 0.5,
        "confirm": [1, 1],
        "smoothing_steps": 1,
        "hold_s": 0.64,
        "refractory_s": 0.0,
        "rise_db": 0.0,
    }
    scene = {"scene": {"build_up_s": 5.0, "linger_s": 60.0}}
    return {
        "name": "loudness",
        "version": "1.0.0",
        "sha256": hashlib.sha256(content).hexdigest(),
        "classes": [name.value for name in SoundClass],
        "frontend": asdict(PARAMETERS),
        "window_frames": WINDOW_FRAMES,
        "step_frames": STEP_FRAMES,
        "embedding_size": EMBEDDING_SIZE,
        "tensors": {name: name for name in ("probabilities", "audioset", "embedding")} | {"input": "log_mel"},
        "decision": {
            name.value: decision | (scene if name is SoundClass.PRESENCE else {}) for name in SoundClass
        },
    }


def loudness_network() -> bytes:
    """Return the network: the loudest of each band in the window, and three dense layers of that."""
    random = np.random.default_rng(7)
    bands, classes = PARAMETERS.n_mels, len(SoundClass)
    gunshot = np.zeros((classes, bands), np.float32)
    gunshot[0] = 12.0 / bands
    bias = np.full(classes, -6.0, np.float32)
    bias[0] = -12.0 * LOUD
    network = _Network()
    frames = network.tensor("frames", (1, WINDOW_FRAMES, bands))
    loudest = network.tensor("loudest", (1, bands))
    network.loudest(frames, loudest)
    outputs = {
        "probabilities": network.dense(loudest, gunshot, bias, sigmoid=True),
        "audioset": network.dense(
            loudest,
            0.1 * random.standard_normal((AUDIOSET_CLASSES, bands)),
            np.full(AUDIOSET_CLASSES, -5.0),
            sigmoid=True,
        ),
        "embedding": network.dense(
            loudest,
            0.1 * random.standard_normal((EMBEDDING_SIZE, bands)),
            np.zeros(EMBEDDING_SIZE),
            sigmoid=False,
        ),
    }
    return network.build({"log_mel": frames}, outputs)


def second_look_network(frames: int) -> bytes:
    """Return the network: steep in the mean over the bands of the loudest in so many frames."""
    bands, classes = PARAMETERS.n_mels, len(SoundClass)
    network = _Network()
    heard = network.tensor("frames", (1, frames, bands))
    loudest = network.tensor("loudest", (1, bands))
    network.loudest(heard, loudest)
    weights = np.full((1, bands), 200.0 / bands, np.float32)
    loud = network.dense(loudest, weights, np.array([-200.0 * LOUD]), sigmoid=True)
    logits = network.dense(loud, np.full((classes, 1), 10.0), np.full(classes, -6.0), sigmoid=False)
    return network.build({"log_mel": heard}, {"logits": logits})


class _Network:
    """A .tflite file that grows by one layer after the other."""

    def __init__(self) -> None:
        self._buffers = [schema.BufferT()]
        self._tensors: list[Any] = []
        self._operators: list[Any] = []
        self._codes: list[int] = []

    def tensor(self, name: str, shape: tuple[int, ...]) -> int:
        """Add a tensor of floats that is computed."""
        return self._tensor(name, shape, schema.TensorType.FLOAT32, 0)

    def constant(self, name: str, values: NDArray[Any]) -> int:
        """Add a tensor that is always the same."""
        whole = values.dtype == np.int32
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(values.tobytes(), np.uint8)
        self._buffers.append(buffer)
        kind = schema.TensorType.INT32 if whole else schema.TensorType.FLOAT32
        return self._tensor(name, values.shape, kind, len(self._buffers) - 1)

    def loudest(self, source: int, target: int) -> None:
        """Add the maximum over time."""
        options = schema.ReducerOptionsT()
        options.keepDims = False
        axis = self.constant("time", np.array([1], np.int32))
        self._operator(schema.BuiltinOperator.REDUCE_MAX, [source, axis], target, options, "ReducerOptions")

    def dense(self, source: int, weights: NDArray[Any], bias: NDArray[Any], *, sigmoid: bool) -> int:
        """Add a dense layer, and return what it gives."""
        number = len(self._tensors)
        inputs = [
            source,
            self.constant(f"weights{number}", weights.astype(np.float32)),
            self.constant(f"bias{number}", bias.astype(np.float32)),
        ]
        sums = self.tensor(f"sums{number}", (1, len(bias)))
        options = schema.FullyConnectedOptionsT()
        self._operator(schema.BuiltinOperator.FULLY_CONNECTED, inputs, sums, options, "FullyConnectedOptions")
        if not sigmoid:
            return sums
        target = self.tensor(f"sigmoid{number}", (1, len(bias)))
        self._operator(schema.BuiltinOperator.LOGISTIC, [sums], target)
        return target

    def build(self, inputs: Mapping[str, int], outputs: Mapping[str, int]) -> bytes:
        """Return the file, with a signature that gives its inputs and outputs these names."""
        graph = schema.SubGraphT()
        graph.tensors, graph.operators = self._tensors, self._operators
        graph.inputs, graph.outputs = list(inputs.values()), list(outputs.values())
        signature = schema.SignatureDefT()
        signature.signatureKey, signature.subgraphIndex = "serving_default", 0
        signature.inputs, signature.outputs = _names(inputs), _names(outputs)
        model = schema.ModelT()
        model.version = 3
        model.subgraphs, model.buffers, model.signatureDefs = [graph], self._buffers, [signature]
        model.operatorCodes = [_code(code) for code in self._codes]
        builder = flatbuffers.Builder(1 << 16)
        builder.Finish(model.Pack(builder), b"TFL3")
        return bytes(builder.Output())

    def _tensor(self, name: str, shape: tuple[int, ...], kind: int, buffer: int) -> int:
        tensor = schema.TensorT()
        tensor.name, tensor.shape, tensor.type, tensor.buffer = name, list(shape), kind, buffer
        self._tensors.append(tensor)
        return len(self._tensors) - 1

    def _operator(
        self, code: int, inputs: list[int], output: int, options: Any = None, kind: str = "NONE"
    ) -> None:
        operator = schema.OperatorT()
        if code not in self._codes:
            self._codes.append(code)
        operator.opcodeIndex = self._codes.index(code)
        operator.inputs, operator.outputs = inputs, [output]
        operator.builtinOptions = options
        operator.builtinOptionsType = getattr(schema.BuiltinOptions, kind)
        self._operators.append(operator)


def _names(tensors: Mapping[str, int]) -> list[Any]:
    maps = []
    for name, index in tensors.items():
        each = schema.TensorMapT()
        each.name, each.tensorIndex = name, index
        maps.append(each)
    return maps


def _code(code: int) -> Any:
    operator = schema.OperatorCodeT()
    operator.builtinCode, operator.deprecatedBuiltinCode, operator.version = code, min(code, 127), 1
    return operator


def expected(window: Floats) -> float:
    """Return the probability of a gunshot that the network must give, worked out without it."""
    return float(1 / (1 + np.exp(-12 * (window.max(axis=0).mean() - LOUD))))
