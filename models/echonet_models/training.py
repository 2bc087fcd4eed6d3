"""Training of the streaming network: pools of mixtures, a masked loss, checkpoints after every pool."""

from collections.abc import Mapping
from dataclasses import asdict
import hashlib
import json
from pathlib import Path
import time
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score

from .activity import IGNORE, Labels
from .assistant import Assistant
from .batches import Batches
from .beginnings import load_beginning
from .calibration import read_calibration
from .datasets import CLASSES, Split
from .errors import ModelsError
from .losses import (
    assisted_loss,
    class_loss,
    portrait_loss,
    positive_weights,
    standard,
    taught_loss,
    taught_weights,
)
from .material import Material
from .networks.streaming import StreamingNetwork, StreamingShape
from .pools import Pool, PoolMaker, PoolSupply, Supply, join, load_pool, store_pool, without_sound
from .progress import duration, shown_by_keras, track
from .schedule import Schedule
from .teachers import ClassMap

Floats = NDArray[np.float32]

WEIGHTS_FILE = "network.weights.h5"
BEST_FILE = "best.weights.h5"
OPTIMIZER_FILE = "optimizer.npz"
STATE_FILE = "state.json"
SHAPE_FILE = "shape.json"
SCHEDULE_FILE = "schedule.json"
ASSISTANT_FILE = "assistant.weights.h5"

# Of so many pools the assistant learns.
ASSISTANT_POOLS = 2
# The pool of the tune split has a number that no training reaches.
TUNE_POOL = 10**6


class Trainer:
    """Trains one network in one folder; a training that was stopped goes on where it was."""

    def __init__(
        self,
        run: Path,
        shape: StreamingShape,
        schedule: Schedule,
        tune: Pool,
        class_map: ClassMap | None = None,
        beginning: Path | None = None,
    ) -> None:
        """Build the network, or read back how far it was.

        Args:
            run: folder of the training.
            shape: of the network.
            schedule: how long and how fast to learn.
            tune: what tells which state is the best.
            class_map: which of the teachers' classes mean ours.
            beginning: weights to go on from, see `beginnings`; random ones without.
        """
        keras.utils.set_random_seed(schedule.seed)
        self._run, self._schedule, self._tune = run, schedule, tune
        self._taught_weights = taught_weights(class_map)
        self.network = StreamingNetwork(shape)
        self._assistant: Assistant | None = None
        self._state: dict[str, Any] = {
            "pool": 0,
            "best": 0.0,
            "best_pool": 0,
            "pools_before": 0,
            "blended": None,
            "positive_weights": None,
            "portraits": None,
        }
        self._optimizer = keras.optimizers.AdamW(schedule.learning_rate, weight_decay=1e-3, clipnorm=1.0)
        self._optimizer.build(self.network.pupil.trainable_variables)
        run.mkdir(parents=True, exist_ok=True)
        (run / SHAPE_FILE).write_text(json.dumps(shape.to_json()), encoding="utf-8")
        (run / SCHEDULE_FILE).write_text(json.dumps(asdict(schedule)), encoding="utf-8")
        if (run / STATE_FILE).is_file():
            self._resume()
        elif beginning is not None:
            self._state["pools_before"] = load_beginning(beginning, self.network)

    @property
    def next_pool(self) -> int:
        """The pool to train on next."""
        return int(self._state["pool"])

    @property
    def positive_weights(self) -> list[float]:
        """How much more a step with each class counts than one without; empty before the first pool."""
        return list(self._state["positive_weights"] or [])

    def train(self, supply: Supply) -> None:
        """Train on the pools that are left."""
        start = time.monotonic()
        first = self.next_pool
        supply.start(max(0, first - 1))
        try:
            for number in range(first, self._schedule.pools):
                self._train_on(supply, number)
                self._checkpoint(number + 1)
                done = number + 1 - first
                left = (time.monotonic() - start) / done * (self._schedule.pools - number - 1)
                print(
                    f"pool {number + 1}/{self._schedule.pools}: {self._report()}; {duration(left)} left",
                    flush=True,
                )
                if number + 1 - int(self._state["best_pool"]) >= self._schedule.patience:
                    print(
                        f"no better for {self._schedule.patience} pools: the training ends here", flush=True
                    )
                    break
        finally:
            supply.stop()

    def _train_on(self, supply: Supply, number: int) -> None:
        pool = join(supply.get(other) for other in (number - 1, number) if other >= 0)
        weighting = self._schedule.weighting
        if self._state["positive_weights"] is None:
            self._state["positive_weights"] = positive_weights(pool.labels, weighting)
            self._state["portraits"] = {"yamnet": standard(pool.yamnet), "mn04": standard(pool.mn04)}
        if self._assistant is None:
            self._assistant = self._prepare_assistant(supply, number)
        if not self.network.pupil.compiled:
            self._compile()
        # Mixtures of this pool and the one before, in random order, so that one pool runs into the next.
        generator = np.random.default_rng((self._schedule.seed, number))
        wanted = self._schedule.pool_size * self._schedule.passes
        order = np.resize(generator.permutation(len(pool.features)), wanted)
        batches = Batches(pool, order, self._schedule.batch, generator, self._assistant.judge(pool))
        history = self.network.pupil.fit(
            batches,
            callbacks=[Pace(self._schedule, number * self._schedule.steps_per_pool)],
            verbose=shown_by_keras(),
        )
        batches.release()
        self._state.update({name: float(values[-1]) for name, values in history.history.items()})
        if number > 0:
            supply.drop(number - 1)

    def _prepare_assistant(self, supply: Supply, number: int) -> Assistant:
        """Return the assistant, which learns once, from the first mixtures, and judges all."""
        spread = {name: found["spread"] for name, found in self._state["portraits"].items()}
        assistant, path = Assistant(spread), self._run / ASSISTANT_FILE
        if path.is_file():
            assistant.load(path)
        else:
            last = min(number + ASSISTANT_POOLS, self._schedule.pools)
            numbers = track(range(number, last), "mixtures for the assistant, pools")
            lessons = join(without_sound(supply.get(each)) for each in numbers)
            print("the assistant learns from what the teachers hear", flush=True)
            assistant.learn(lessons)
            assistant.save(path)
        return assistant

    def _compile(self) -> None:
        schedule = self._schedule
        weights = np.asarray(self._state["positive_weights"], np.float32)
        portraits = {name: portrait_loss(**found) for name, found in self._state["portraits"].items()}
        self.network.pupil.compile(
            optimizer=self._optimizer,
            loss={
                "classes": class_loss(schedule.weighting, weights),
                "taught": taught_loss(self._taught_weights),
                **portraits,
                "assisted": assisted_loss,
            },
            loss_weights={
                "classes": 1.0,
                "taught": schedule.teacher_weight,
                **dict.fromkeys(portraits, schedule.portrait_weight),
                "assisted": schedule.assistant_weight,
            },
        )

    def _report(self) -> str:
        precision = self._state["average_precision"]
        each = " ".join(f"{name}={value:.2f}" for name, value in precision.items())
        return f"loss {self._state['loss']:.4f}, tune mean AP {self._state['last']:.3f} ({each})"

    def _checkpoint(self, following: int) -> None:
        scores = self.network.sequence.predict(
            self._tune.features.astype(np.float32), batch_size=64, verbose=0
        )
        precision = average_precisions(self._tune.labels, scores)
        mean = float(np.mean(list(precision.values())))
        self._state.update(pool=following, last=mean, average_precision=precision)
        self.network.pupil.save_weights(self._run / WEIGHTS_FILE)
        np.savez(
            self._run / OPTIMIZER_FILE,
            allow_pickle=False,
            **{str(number): np.asarray(value) for number, value in enumerate(self._optimizer.variables)},
        )
        if mean > self._state["best"]:
            self._state.update(best=mean, best_pool=following)
            self.network.pupil.save_weights(self._run / BEST_FILE)
        unfinished = self._run / "state.partial"
        unfinished.write_text(json.dumps(self._state), encoding="utf-8")
        unfinished.replace(self._run / STATE_FILE)
        with (self._run / "log.jsonl").open("a", encoding="utf-8") as log:
            log.write(json.dumps(self._state) + "\n")

    def _resume(self) -> None:
        self._state = json.loads((self._run / STATE_FILE).read_text(encoding="utf-8"))
        self.network.pupil.load_weights(self._run / WEIGHTS_FILE)
        with np.load(self._run / OPTIMIZER_FILE) as stored:
            for number, variable in enumerate(self._optimizer.variables):
                variable.assign(stored[str(number)])


class Pace(keras.callbacks.Callback):  # type: ignore[misc]
    """Sets the learning rate of every batch."""

    def __init__(self, schedule: Schedule, first: int) -> None:
        """Take the schedule and the number of the first batch."""
        super().__init__()
        self._schedule, self._first = schedule, first

    def on_train_batch_begin(self, batch: int, logs: object = None) -> None:  # noqa: ARG002 - Keras asks for it
        """Set the rate before a batch is learned from."""
        self.model.optimizer.learning_rate.assign(self._schedule.learning_rate_at(self._first + batch))


def train_run(
    run: Path,
    material: Material,
    schedule: Schedule,
    *,
    shape: StreamingShape | None = None,
    tune_size: int = 800,
    beginning: Path | None = None,
) -> None:
    """Train in the folder `run`, or go on with what is there; `beginning` is as for `Trainer`."""
    tune = run / "tune.npz"
    if not tune.is_file():
        run.mkdir(parents=True, exist_ok=True)
        tuning = PoolMaker(material.maker(Split.TUNE), seed=schedule.seed, size=tune_size)
        store_pool(tune, tuning.make(TUNE_POOL))
    maker = PoolMaker(
        material.maker(Split.TRAIN, taught=True),
        seed=schedule.seed,
        size=schedule.pool_size,
        portrayer=material.portrayer(),
    )
    supply = PoolSupply(run / "pools", maker, count=schedule.pools)
    trainer = Trainer(
        run, shape or StreamingShape(), schedule, load_pool(tune), material.class_map, beginning
    )
    trainer.train(supply)


def average_precisions(labels: Labels, scores: NDArray[np.float32]) -> Mapping[str, float]:
    """Return the average precision per class over all sure steps (classes without a positive step are left out)."""
    found: dict[str, float] = {}
    for column, name in enumerate(CLASSES):
        sure = labels[..., column] != IGNORE
        truth = labels[..., column][sure] == 1
        if truth.any():
            found[str(name)] = float(average_precision_score(truth, scores[..., column][sure]))
    return found


def pools_learned(run: Path) -> int:
    """Return from how many pools the best state of a training has learned, those before it began among them.

    Raises:
        ModelsError: nothing has been trained there yet.
    """
    if not (run / STATE_FILE).is_file():
        raise ModelsError(f"nothing is trained in {run} yet: run `echonet-models train --run {run}` first")
    state = json.loads((run / STATE_FILE).read_text(encoding="utf-8"))
    return int(state["best_pool"]) + int(state["pools_before"])


def fingerprint(run: Path) -> str:
    """Return the SHA-256 of all that the network of a training depends on before it is calibrated."""
    content = b"".join((run / name).read_bytes() for name in (BEST_FILE, SHAPE_FILE))
    return hashlib.sha256(content).hexdigest()


def load_network(run: Path, *, calibrated: bool = True) -> StreamingNetwork:
    """Return the network of a training, its best state so far, calibrated if it has been.

    Raises:
        ModelsError: nothing has been trained there yet.
    """
    if not (run / BEST_FILE).is_file():
        raise ModelsError(f"nothing is trained in {run} yet: run `echonet-models train --run {run}` first")
    sizes = json.loads((run / SHAPE_FILE).read_text(encoding="utf-8"))
    network = StreamingNetwork(StreamingShape.from_json(sizes))
    network.pupil.load_weights(run / BEST_FILE)
    calibration = read_calibration(run)
    if calibrated and calibration is not None:
        calibration.fold_into(network)
    return network
