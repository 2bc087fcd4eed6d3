"""Gaussian mixtures in two layers and hidden Markov models: what paper A names as its forerunners.

Both say how likely the frames of a window are if it holds a class. How much a likelihood is worth (frames depend on
their neighbours, so that their product exaggerates) is chosen on the tune windows.
"""

import logging

from hmmlearn.hmm import GaussianHMM
import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression
from sklearn.mixture import GaussianMixture
from sklearn.preprocessing import StandardScaler

from ..approach import Approach, Factory, in_columns, stored_bytes
from ..features.handmade import LEVEL_COLUMN, LINEAR_BANDS, linear_prediction_frames, mfcc_frames
from ..folds import Fold
from ..windows import OTHER_LABEL, Floats, Windows
from .clip_features import balanced_accuracy

TEMPERATURES = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0)
LEAST_VARIANCE = 3e-2
# By how much one frame may speak against a class: one that no mixture knows must not decide alone.
MOST_NATS = 8.0
STRICTNESS = np.geomspace(0.1, 10, 25)
# Frames 30 dB below the loudest of their window are silence: the level is a sum of natural logarithms of powers.
ACTIVE_RANGE = np.log(1000) * np.sqrt(LINEAR_BANDS)
# hmmlearn tells of every model whose likelihood fell by a rounding error.
logging.getLogger("hmmlearn").setLevel(logging.ERROR)


class LayeredGmm(Approach):
    """The first layer says whether something happens, the second what.

    Before the first, frames that are silent beside the loudest of their window are left out. A mixture is learned for
    everyday sound, one for all classes together and one for each class; in the literature's words, "sound or not" is
    foreground or not, then normal or exciting.
    """

    name, paper = "layered-gmm", "A"
    purpose = "little memory, and a class can be added without touching the others"
    components, most_frames = 12, 12_000
    _mixtures: dict[int, GaussianMixture]
    _event: GaussianMixture
    _temperature, _strictness = 1.0, 1.0

    def fit(self, fold: Fold) -> None:
        """Learn the mixtures from `train`, the weight of their words from `tune`."""
        train, tune = fold.train, fold.tune
        frames = linear_prediction_frames(train)
        self._scaler = StandardScaler().fit(frames.reshape(-1, frames.shape[-1]))
        self._first = LogisticRegression(class_weight="balanced")
        generator = np.random.default_rng(fold.seed)
        self._mixtures = {
            int(label): self._mixture(frames[train.labels == label], generator)
            for label in np.unique(train.labels)
        }
        self._event = self._mixture(frames[train.labels != OTHER_LABEL], generator)
        happens, which = self._likelihoods(tune)
        events = tune.labels != OTHER_LABEL
        self._first.fit(happens[:, None], events)
        self._temperature = choose_temperature(
            which[events], np.searchsorted(self._events(), tune.labels[events])
        )
        rows = self._joint(happens, which)
        everyday = np.arange(rows.shape[1]) == OTHER_LABEL
        self._strictness = max(
            STRICTNESS,
            key=lambda factor: balanced_accuracy(
                tune.labels, (rows * np.where(everyday, factor, 1)).argmax(axis=1)
            ),
        )

    def predict(self, windows: Windows) -> Floats:
        """Return what both layers say, everyday sound being as likely as the tune windows suggest."""
        rows = self._joint(*self._likelihoods(windows))
        rows[:, OTHER_LABEL] *= self._strictness
        return rows

    def size_bytes(self) -> int:
        """Return the size of all mixtures."""
        every = [*self._mixtures.values(), self._event]
        arrays = [array for one in every for array in (one.weights_, one.means_, one.covariances_)]
        return stored_bytes([*arrays, self._scaler.mean_, self._scaler.scale_])

    def _events(self) -> NDArray[np.int64]:
        return np.array(sorted(set(self._mixtures) - {OTHER_LABEL}))

    def _mixture(self, frames: Floats, generator: np.random.Generator) -> GaussianMixture:
        frames = frames[_is_sounding(frames)]
        chosen = generator.permutation(len(frames))[: self.most_frames]
        # A component needs some tens of frames to have a variance of its own.
        components = max(1, min(self.components, len(chosen) // 50))
        mixture = GaussianMixture(
            components,
            covariance_type="diag",
            reg_covar=LEAST_VARIANCE,
            max_iter=100,
            tol=1e-2,
            random_state=0,
        )
        return mixture.fit(self._scaler.transform(frames[chosen]))

    def _likelihoods(self, windows: Windows) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return how much likelier an event is than everyday sound, [N], and the likelihoods of the classes."""
        frames = linear_prediction_frames(windows)
        active = _is_sounding(frames)
        rows = self._scaler.transform(frames.reshape(-1, frames.shape[-1]))
        counted = active / active.sum(axis=1, keepdims=True)

        def of(mixture: GaussianMixture) -> NDArray[np.float64]:
            return np.asarray(mixture.score_samples(rows).reshape(active.shape))

        difference = of(self._event) - of(self._mixtures[OTHER_LABEL])
        happens = (np.clip(difference, -MOST_NATS, MOST_NATS) * counted).sum(axis=1)
        classes = np.stack([of(self._mixtures[label]) for label in self._events()], axis=2)
        classes = np.maximum(classes, classes.max(axis=2, keepdims=True) - MOST_NATS)
        return happens, frames.shape[1] * (classes * counted[..., None]).sum(axis=1)

    def _joint(self, happens: NDArray[np.float64], which: NDArray[np.float64]) -> Floats:
        """Return the second layer's words, weighed by the first's."""
        event = self._first.predict_proba(happens[:, None])[:, 1:]
        scores = in_columns(event * softmax(which / self._temperature, axis=1), self._events())
        scores[:, OTHER_LABEL] = 1 - event[:, 0]
        return scores


class HiddenMarkov(Approach):
    """A hidden Markov model per class over MFCC and their differences; the likeliest model names the class."""

    name, paper = "hmm", "A"
    purpose = "follows a sound over time with hardly any parameters"
    states = 5
    _models: dict[int, GaussianHMM]
    _temperature = 1.0

    def fit(self, fold: Fold) -> None:
        """Learn the models and the classes' share from `train`, the weight of a likelihood from `tune`."""
        train, tune = fold.train, fold.tune
        frames = mfcc_frames(train)
        self._scaler = StandardScaler().fit(frames.reshape(-1, frames.shape[-1]))
        self._models = {}
        labels, counts = np.unique(train.labels, return_counts=True)
        for label in labels:
            own = frames[train.labels == label]
            rows = self._scaler.transform(own.reshape(-1, frames.shape[-1]))
            model = GaussianHMM(
                self.states,
                "diag",
                min_covar=LEAST_VARIANCE,
                n_iter=4 if fold.quick else 12,
                random_state=fold.seed,
            )
            self._models[int(label)] = model.fit(rows, [frames.shape[1]] * len(own))
        self._prior = np.log(counts / counts.sum())
        self._temperature = choose_temperature(
            self._likelihoods(tune), np.searchsorted(self._labels(), tune.labels), self._prior
        )

    def predict(self, windows: Windows) -> Floats:
        """Return the classes' probabilities by Bayes' rule."""
        likelihoods = self._likelihoods(windows)
        return in_columns(softmax(likelihoods / self._temperature + self._prior, axis=1), self._labels())

    def size_bytes(self) -> int:
        """Return the size of all models."""
        arrays = [
            array
            for model in self._models.values()
            # hmmlearn hands variances out as matrices; only their diagonals are numbers of the model.
            for array in (model.startprob_, model.transmat_, model.means_, model.means_)
        ]
        return stored_bytes([*arrays, self._scaler.mean_, self._scaler.scale_])

    def _labels(self) -> NDArray[np.int64]:
        return np.array(list(self._models))

    def _likelihoods(self, windows: Windows) -> NDArray[np.float64]:
        frames = mfcc_frames(windows)
        scaled = self._scaler.transform(frames.reshape(-1, frames.shape[-1])).reshape(frames.shape)
        return np.array([[model.score(rows) for model in self._models.values()] for rows in scaled])


def _is_sounding(frames: Floats) -> NDArray[np.bool_]:
    level = frames[..., LEVEL_COLUMN]
    return np.asarray(level >= level.max(axis=-1, keepdims=True) - ACTIVE_RANGE)


def choose_temperature(
    likelihoods: NDArray[np.float64], columns: NDArray[np.integer], prior: NDArray[np.float64] | float = 0.0
) -> float:
    """Return by what the likelihoods [N, classes] are divided so that the right column gets the most probability."""

    def surprise(temperature: float) -> float:
        probabilities = softmax(likelihoods / temperature + prior, axis=1)
        return -float(np.log(probabilities[np.arange(len(columns)), columns] + 1e-9).mean())

    return min(TEMPERATURES, key=surprise)


APPROACHES: tuple[Factory, ...] = (LayeredGmm, HiddenMarkov)
