"""A whole training: fit mn04 to short windows, fine-tune it without each fold's sources, then with everything.

What the networks of the folds say of the sources that they never heard is pooled by `evaluation`: everything about the
released network (thresholds, figures) is chosen and told by that.
"""

from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
import tensorflow as tf

from ..data.folds import FOLDS, training_clips
from ..data.library import Library, Places, open_library
from ..data.manifest import UNLABELLED
from ..data.recordings import Samples
from ..data.teachers import (
    AUDIOSET_CLASSES,
    MN04_FILE,
    STRETCH,
    ClassMap,
    read_class_map,
    teachers_directory,
)
from ..mixing.made_up import MadeUp
from ..mixing.windows import Recipe, Windows
from ..network.checkpoints import read_state
from ..network.ears import Ears, load_weights, pretrained, save_weights
from ..network.regression import Regression, features, fit
from ..network.shortening import shorten
from .feed import batches
from .loop import WEIGHTS_FILE, Schedule, train

SHORTENED = "shortened.npz"
# From so many sounds the lines are read by which mn04 is fitted to short windows.
_SOUNDS = 1024
_GAIN_DB = (-30.0, 0.0)
# So many sounds are made up: each is learned from about once.
_MADE_UP = 15_000
# In distillation an AudioSet class that is, or is like, one of ours counts so many times.
_OURS = 10.0


TUNING = Schedule(steps=1400, body_rate=4e-4, head_rate=3e-4, distillation=2.0)


def train_run(run: Path, places: Places, tuning: Schedule = TUNING) -> None:
    """Train in the folder `run`; what is done there already is not done again.

    Raises:
        ModelsError: something that it needs is missing, or the folder holds another training.
    """
    library = open_library(places)
    teachers = teachers_directory(places.teachers)
    weights = distillation_weights(library.class_map)
    ears = pretrained(teachers, library.class_map.meanings)
    MadeUp(library).ask(_MADE_UP, library, teachers, places.cache)
    run.mkdir(parents=True, exist_ok=True)
    shortened = run / SHORTENED
    if not shortened.is_file():
        shorten(ears.model, read_state(teachers / MN04_FILE), _sounds(library))
        save_weights(shortened, ears.model)
    for fold in (*range(FOLDS), None):
        folder = run / fold_name(fold)
        name = "everything" if fold is None else f"without the sources of fold {fold + 1} of {FOLDS}"
        schedule = replace(tuning, seed=FOLDS if fold is None else fold)
        load_weights(shortened, ears.model)
        regression = fit(training_clips(library.clips, fold), library.lessons, library.class_map)
        ears.begin_with(regression)
        load = partial(_windows, places, fold)
        feed = partial(batches, load, size=schedule.batch, seed=schedule.seed, total=schedule.steps)
        advise = partial(_advise, regression, library.class_map)
        train(ears, schedule, feed, weights, folder, name, advise)


def _advise(regression: Regression, class_map: ClassMap, audioset: tf.Tensor) -> tf.Tensor:
    return tf.matmul(features(audioset, class_map.meanings), regression.kernel) + regression.bias


def fold_name(fold: int | None) -> str:
    """Return the folder of a fold's training."""
    return "whole" if fold is None else f"fold{fold + 1}"


def trained(run: Path, teachers: Path, fold: int | None) -> Ears:
    """Return the network of a fold, or the one of everything.

    Raises:
        ModelsError: it has not been trained.
    """
    ears = pretrained(teachers, read_class_map(teachers).meanings)
    load_weights(run / fold_name(fold) / WEIGHTS_FILE, ears.model)
    return ears


def distillation_weights(class_map: ClassMap) -> NDArray[np.float32]:
    """Return how much each AudioSet class counts, [527]."""
    weights = np.ones(AUDIOSET_CLASSES, np.float32)
    weights[class_map.ours] = _OURS
    return weights


def _windows(places: Places, fold: int | None) -> Windows:
    library = open_library(places)
    made_up = MadeUp(library)
    made_up.ask(_MADE_UP, library, teachers_directory(places.teachers), places.cache)
    own = library.only(training_clips(library.clips, fold))
    return Windows(own, Recipe(), np.random.default_rng(), made_up)


def _sounds(library: Library) -> list[Samples]:
    """Return stretches of sound that nobody labelled, some of them as loud as they are, others at any level."""
    random = np.random.default_rng(0)
    unlabelled = [clip for clip in library.clips if clip.label == UNLABELLED]
    sounds = []
    for number in range(_SOUNDS):
        clip = unlabelled[int(random.integers(len(unlabelled)))]
        start = int(random.choice(library.lessons[clip.path].starts))
        sound = library.recordings.piece(clip.path, start, STRETCH)
        if number % 2:
            peak = float(np.abs(sound).max()) + 1e-9
            sound = sound * np.float32(10 ** (random.uniform(*_GAIN_DB) / 20) / peak)
        sounds.append(np.pad(sound, (0, STRETCH - len(sound))))
    return sounds
