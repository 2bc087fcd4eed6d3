"""How far a converted model is from the network that it came from, and what a step of it costs."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
import statistics
import time
from typing import Any

from ai_edge_litert.interpreter import Interpreter
import numpy as np
from numpy.typing import NDArray

from echonet_satellite.frontend import Floats, FrontendParameters, log_mel
from echonet_satellite.synthesis import demo_scene

from .networks.streaming import StreamingNetwork

ROUNDS = 7
STEPS_PER_ROUND = 200


@dataclass(frozen=True, slots=True)
class Agreement:
    """Differences between the probabilities of a converted model and those of its network, over `outputs` rows."""

    outputs: int
    largest: float
    mean: float

    def to_json(self) -> dict[str, object]:
        """Return it as plain values."""
        return asdict(self)


def frames_to_compare() -> list[Floats]:
    """Return recordings [frames, n_mels] to compare models on: a scene of sounds, and frames that no sound gives."""
    parameters = FrontendParameters()
    random = np.random.default_rng(0).normal(-6, 3, (800, parameters.n_mels)).astype(np.float32)
    return [log_mel(demo_scene().samples, parameters), random]


def compare(
    model: bytes,
    tensors: Mapping[str, Any],
    network: StreamingNetwork,
    recordings: Sequence[Floats] | None = None,
) -> Agreement:
    """Compare a `.tflite`, fed step by step, with its network, fed whole recordings [frames, n_mels] of log-mel.

    `tensors` is what `match_tensors` found in the model.
    """
    size = network.shape.step_frames
    apart: list[NDArray[np.float32]] = []
    for frames in recordings or frames_to_compare():
        whole = frames[: len(frames) // size * size]
        logits = np.asarray(network.sequence(whole[None]))[0]
        apart.append(np.abs(_step_by_step(model, tensors, whole, size) - 1 / (1 + np.exp(-logits))))
    differences = np.concatenate(apart)
    return Agreement(len(differences), float(differences.max()), float(differences.mean()))


def step_microseconds(model: bytes) -> float:
    """Return the CPU time of one step on one thread: the median of several rounds."""
    interpreter = Interpreter(model_content=model, num_threads=1)
    interpreter.allocate_tensors()
    random = np.random.default_rng(0)
    for detail in interpreter.get_input_details():
        interpreter.set_tensor(detail["index"], random.normal(size=detail["shape"]).astype(np.float32))
    interpreter.invoke()
    costs = []
    for _ in range(ROUNDS):
        begun = time.process_time()
        for _ in range(STEPS_PER_ROUND):
            interpreter.invoke()
        costs.append((time.process_time() - begun) / STEPS_PER_ROUND)
    return 1e6 * statistics.median(costs)


def _step_by_step(model: bytes, tensors: Mapping[str, Any], frames: Floats, size: int) -> Floats:
    interpreter = Interpreter(model_content=model, num_threads=1)
    interpreter.allocate_tensors()
    details = [*interpreter.get_input_details(), *interpreter.get_output_details()]
    index = {detail["name"]: detail["index"] for detail in details}
    states = [(index[state["input"]], index[state["output"]]) for state in tensors["states"]]
    for (source, _), state in zip(states, tensors["states"], strict=True):
        interpreter.set_tensor(source, np.zeros(state["shape"], np.float32))
    rows = []
    for first in range(0, len(frames), size):
        interpreter.set_tensor(index[tensors["input"]], frames[None, first : first + size])
        interpreter.invoke()
        rows.append(interpreter.get_tensor(index[tensors["output"]])[0])
        for source, target in states:
            interpreter.set_tensor(source, interpreter.get_tensor(target))
    return np.concatenate(rows)
