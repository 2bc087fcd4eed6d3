"""What is compared: a listener with the rule by which its probabilities become detections."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from echonet_satellite.detector import Decision
from echonet_satellite.protocol import Sensitivity, SoundClass

from ..activity import IGNORE
from ..datasets import CLASSES, Clip
from ..listening import Probabilities
from ..thresholds import choose, undecided
from . import LEVELS
from .listeners import Listener
from .windows import Windows

FIXED = (0.8, 0.5)
_LEAST, _MOST = 1e-6, 1 - 1e-6

Decisions = Mapping[SoundClass, Decision]


@dataclass(frozen=True, slots=True)
class Calibration:
    """A line per class through the logits of a listener: it turns scores into probabilities and keeps their order."""

    slope: NDArray[np.float64]
    offset: NDArray[np.float64]

    def __call__(self, scores: Probabilities) -> Probabilities:
        """Return calibrated probabilities [..., 8]; a score of exactly 0 stays 0: nothing was heard."""
        bounded = np.clip(scores.astype(np.float64), _LEAST, _MOST)
        logits = np.log(bounded / (1 - bounded)) * self.slope + self.offset
        return np.where(scores > 0, 1 / (1 + np.exp(-logits)), 0.0).astype(np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """A listener, what is made of its scores, and how it decides.

    Attributes:
        key: its name in the figures.
        title: its name for a person.
        rule: how it decides, for a person.
        fixed: the one threshold of all classes, or None where thresholds were chosen on the tune split.
    """

    key: str
    title: str
    rule: str
    listener: Listener
    decisions: Decisions
    calibration: Calibration | None = None
    fixed: float | None = None

    @property
    def levels(self) -> tuple[Sensitivity, ...]:
        """The sensitivities in which it differs."""
        return LEVELS if self.fixed is None else (Sensitivity.MEDIUM,)

    def probabilities(self, heard: Mapping[str, Probabilities]) -> dict[str, Probabilities]:
        """Return what it makes of what its listener heard."""
        if self.calibration is None:
            return dict(heard)
        return {key: self.calibration(rows) for key, rows in heard.items()}


def calibrate(tune: Windows) -> Calibration:
    """Return Platt's calibration, both kinds of windows weighing the same: for thresholds on a common scale.

    J. Platt, "Probabilistic outputs for support vector machines", 1999. A class that the tune split lacks is kept.
    """
    slope, offset = np.ones(len(CLASSES)), np.zeros(len(CLASSES))
    for column in range(len(CLASSES)):
        known = (tune.truth[:, column] != IGNORE) & (tune.scores[:, column] > 0)
        truth = tune.truth[known, column] == 1
        if len(np.unique(truth)) < 2:
            continue
        bounded = np.clip(tune.scores[known, column].astype(np.float64), _LEAST, _MOST)
        logits = np.log(bounded / (1 - bounded))
        model = LogisticRegression(class_weight="balanced").fit(logits[:, None], truth)
        # A listener that hears a class less where it sounds is of no use either way; its order is kept.
        slope[column] = max(float(model.coef_[0, 0]), 1e-3)
        offset[column] = float(model.intercept_[0])
    return Calibration(slope, offset)


def at_once() -> dict[SoundClass, Decision]:
    """Return decisions that take one score over the threshold: a window of a second has confirmed itself."""
    return {name: replace(decision, confirm=(1, 1)) for name, decision in undecided().items()}


def tuned(
    listener: Listener, clips: Sequence[Clip], heard: Mapping[str, Probabilities], tune: Windows
) -> System:
    """Return a peer with thresholds chosen on the tune split by the function that chooses ours."""
    calibration = calibrate(tune)
    calibrated = {key: calibration(rows) for key, rows in heard.items()}
    return System(
        key=f"{listener.name}_tuned",
        title=f"{listener.title}, tuned",
        rule="thresholds chosen on the tune split by the same function as ours",
        listener=listener,
        decisions=choose(clips, calibrated, at_once()),
        calibration=calibration,
    )


def fixed(listener: Listener, threshold: float) -> System:
    """Return a peer with one threshold for all classes."""
    same = dict.fromkeys(LEVELS, threshold)
    decisions = {name: replace(decision, thresholds=same) for name, decision in at_once().items()}
    return System(
        key=f"{listener.name}_{round(100 * threshold)}",
        title=f"{listener.title} at {threshold}",
        rule=f"a score of {threshold} or more" + (" (Frigate's default)" if threshold == FIXED[0] else ""),
        listener=listener,
        decisions=decisions,
        fixed=threshold,
    )
