"""What tests of the hearing share: the model that is shipped, and sounds to hear."""

from collections import deque
from collections.abc import Callable, Mapping
from datetime import datetime
import os
from pathlib import Path
import threading

import numpy as np
import pytest

from echonet_satellite.card import ModelCard, Tensors
from echonet_satellite.classifier import AUDIOSET_CLASSES, PACKAGED_MODEL, Classifier, Heard
from echonet_satellite.detector import Decision
from echonet_satellite.frontend import Floats, FrontendParameters
from echonet_satellite.learning.sounds import TaughtEvent
from echonet_satellite.protocol import Health, Level, Problem, Sensitivity, Settings, SoundClass
from echonet_satellite.sound_event import SoundEvent

RATE = 16_000
# What no band of a quiet room reaches, and some band of a sound of these tests does.
LOUD = 0.0
CLASSES = tuple(SoundClass)


def model_directory() -> Path:
    """Return the folder of the shipped model (or of ECHONET_MODEL), or skip where none is there."""
    directory = Path(os.environ.get("ECHONET_MODEL") or PACKAGED_MODEL)
    if not (directory / "model.json").is_file():
        pytest.skip(f"no model in {directory}")
    return directory


def decision(**changes: object) -> Decision:
    """Return a rule that decides at once."""
    values: dict[str, object] = {
        "thresholds": {Sensitivity.LOW: 0.9, Sensitivity.MEDIUM: 0.7, Sensitivity.HIGH: 0.5},
        "leave_ratio": 0.5,
        "confirm": (1, 1),
        "smoothing_steps": 1,
        "hold_s": 0.4,
        "refractory_s": 0.0,
    }
    return Decision(**(values | changes))  # type: ignore[arg-type]


def settings(*, listening: bool = True, **sensitivity: Sensitivity) -> Settings:
    """Return settings with every class at medium but those that are named."""
    levels: Mapping[SoundClass, Sensitivity] = dict.fromkeys(CLASSES, Sensitivity.MEDIUM) | {
        SoundClass(name): level for name, level in sensitivity.items()
    }
    return Settings(listening=listening, sensitivity=levels)


class LoudnessClassifier(Classifier):
    """Takes whatever is loud just now for a gunshot: what the pipeline does with a detection needs no network."""

    def __init__(self) -> None:
        self.card = ModelCard(
            name="loudness",
            version="1",
            sha256="0" * 64,
            classes=CLASSES,
            frontend=FrontendParameters(),
            window_frames=160,
            step_frames=16,
            embedding_size=4,
            tensors=Tensors(input="", probabilities="", audioset="", embedding=""),
            decisions=dict.fromkeys(CLASSES, decision()),
        )
        self.fail = 0

    def for_another_stream(self) -> "LoudnessClassifier":
        return type(self)()

    def step(self, log_mel: Floats) -> Heard:
        if self.fail:
            self.fail -= 1
            raise RuntimeError("the network is broken")
        probabilities = np.zeros(len(CLASSES), np.float32)
        probabilities[0] = 0.95 if log_mel.max() > LOUD else 0.01
        return Heard(
            probabilities=probabilities,
            audioset=np.zeros(AUDIOSET_CLASSES, np.float32),
            embedding=np.zeros(4, np.float32),
        )

    def reset(self) -> None:
        """It remembers nothing."""


class WindowClassifier(LoudnessClassifier):
    """Takes whatever is loud anywhere in its window for a gunshot, as a network does that sees all of it at once."""

    def __init__(self) -> None:
        super().__init__()
        self._steps: deque[float] = deque(maxlen=self.card.window_frames // self.card.step_frames)

    def step(self, log_mel: Floats) -> Heard:
        heard = super().step(log_mel)
        self._steps.append(float(heard.probabilities[0]))
        heard.probabilities[0] = max(self._steps)
        return heard

    def reset(self) -> None:
        self._steps.clear()


def noise(seconds: float, level: float = 0.3, seed: int = 1) -> Floats:
    """Return white noise."""
    samples = level * np.random.default_rng(seed).standard_normal(round(seconds * RATE))
    return np.clip(samples, -1, 1).astype(np.float32)


def silence(seconds: float) -> Floats:
    """Return a quiet room: a little noise."""
    return noise(seconds, 1e-4, seed=2)


class Ear:
    """Who is told by a pipeline: keeps it."""

    def __init__(self) -> None:
        self.events: list[SoundEvent] = []
        self.health: list[Health] = []
        self.levels: list[Level] = []
        self.broken = False
        self._told = threading.Condition()

    def on_event(self, event: SoundEvent) -> None:
        if self.broken:
            self.broken = False
            raise RuntimeError("the listener is broken")
        with self._told:
            self.events.append(event)
            self._told.notify_all()

    def on_taught(self, event: TaughtEvent, onset: datetime) -> None:
        """Nobody has taught it anything."""

    def on_health(self, health: Health) -> None:
        with self._told:
            self.health.append(health)
            self._told.notify_all()

    def on_level(self, level: Level) -> None:
        with self._told:
            self.levels.append(level)
            self._told.notify_all()

    def wait(self, condition: Callable[[], bool]) -> None:
        """Wait until a condition holds, which may take long on a busy machine."""
        with self._told:
            assert self._told.wait_for(condition, 60), (self.events, self.health)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What was wrong last."""
        return self.health[-1].problems if self.health else ()
