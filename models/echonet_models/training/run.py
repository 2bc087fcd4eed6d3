"""A whole training: fit mn04 to short windows, fine-tune it without each fold's sources, then with everything; twice,
for the network that listens all the time and for the one that takes a second look.

What the networks of the folds say of the sources that they never heard is pooled by `evaluation`: everything about the
released network (thresholds, figures) is chosen and told by that.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
import tensorflow as tf

from ..data.activity import HOP
from ..data.folds import FOLDS, training_clips
from ..data.library import Library, Places, long_lessons, open_library
from ..data.manifest import UNLABELLED
from ..data.recordings import Samples
from ..data.teachers import (
    AUDIOSET_CLASSES,
    MN04_FILE,
    STRETCH,
    ClassMap,
    Lesson,
    read_class_map,
    teachers_directory,
)
from ..mixing.made_up import MadeUp
from ..mixing.windows import Recipe, Windows
from ..network.checkpoints import read_state
from ..network.ears import SECOND_LOOK_FRAMES, WINDOW_FRAMES, Ears, load_weights, pretrained, save_weights
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


@dataclass(frozen=True, slots=True)
class Look:
    """One of the two networks: its folder in that of the run, what it sees, and how it is trained.

    `halfway` its head begins half-way between the regression and what the AudioSet classes say that mean ours.
    """

    folder: str
    frames: int
    schedule: Schedule
    made_up: int = 0
    halfway: bool = False

    @property
    def stretch(self) -> int:
        """How much sound a window is, in samples."""
        return self.frames * HOP


FIRST = Look(
    "",
    WINDOW_FRAMES,
    Schedule(steps=1400, body_rate=4e-4, head_rate=3e-4, distillation=2.0),
    made_up=_MADE_UP,
)
# What is trained on our labels hears strangers as the first network does, mistakes included. This one is only taught
# what its teachers hear, and its head stays half-way between the regression and their own words: a second opinion.
SECOND = Look(
    "second",
    SECOND_LOOK_FRAMES,
    Schedule(steps=400, batch=24, body_rate=1e-4, head_rate=0.0, classes=0.0, distillation=2.0),
    halfway=True,
)


def train_run(run: Path, places: Places, *, steps: int | None = None) -> None:
    """Train in the folder `run`, so many steps each or as many as usual; what is done there already is not done again.

    Raises:
        ModelsError: something that it needs is missing, or the folder holds another training.
    """
    library = open_library(places)
    MadeUp(library).ask(_MADE_UP, library, teachers_directory(places.teachers), places.cache)
    for look in (FIRST, SECOND):
        _train_look(run, places, library, look, steps or look.schedule.steps)


def _train_look(run: Path, places: Places, library: Library, look: Look, steps: int) -> None:
    teachers = teachers_directory(places.teachers)
    lessons = _lessons(library, places, look)
    weights = distillation_weights(library.class_map)
    ears = pretrained(teachers, library.class_map.meanings, look.frames)
    shortened = run / look.folder / SHORTENED
    shortened.parent.mkdir(parents=True, exist_ok=True)
    if not shortened.is_file():
        shorten(ears.model, read_state(teachers / MN04_FILE), _sounds(library, lessons))
        save_weights(shortened, ears.model)
    for fold in (*range(FOLDS), None):
        name = "everything" if fold is None else f"without the sources of fold {fold + 1} of {FOLDS}"
        if look.folder:
            name = f"{look.folder} look, {name}"
        schedule = replace(look.schedule, steps=steps, seed=FOLDS if fold is None else fold)
        load_weights(shortened, ears.model)
        regression = fit(training_clips(library.clips, fold), lessons, library.class_map)
        ears.begin_with(regression.halfway() if look.halfway else regression)
        load = partial(_windows, places, fold, look)
        feed = partial(batches, load, size=schedule.batch, seed=schedule.seed, total=schedule.steps)
        advise = partial(_advise, regression, library.class_map)
        train(ears, schedule, feed, weights, fold_folder(run, fold, look), name, advise)


def _lessons(library: Library, places: Places, look: Look) -> Mapping[str, Lesson]:
    return library.lessons if look.stretch == STRETCH else long_lessons(library, places)


def _advise(regression: Regression, class_map: ClassMap, audioset: tf.Tensor) -> tf.Tensor:
    return tf.matmul(features(audioset, class_map.meanings), regression.kernel) + regression.bias


def fold_folder(run: Path, fold: int | None, look: Look = FIRST) -> Path:
    """Return the folder of a fold's training."""
    return run / look.folder / ("whole" if fold is None else f"fold{fold + 1}")


def trained(run: Path, teachers: Path, fold: int | None, look: Look = FIRST) -> Ears:
    """Return the network of a fold, or the one of everything.

    Raises:
        ModelsError: it has not been trained.
    """
    ears = pretrained(teachers, read_class_map(teachers).meanings, look.frames)
    load_weights(fold_folder(run, fold, look) / WEIGHTS_FILE, ears.model)
    return ears


def distillation_weights(class_map: ClassMap) -> NDArray[np.float32]:
    """Return how much each AudioSet class counts, [527]."""
    weights = np.ones(AUDIOSET_CLASSES, np.float32)
    weights[class_map.ours] = _OURS
    return weights


def _windows(places: Places, fold: int | None, look: Look) -> Windows:
    library = open_library(places)
    lessons = _lessons(library, places, look)
    made_up = None
    if look.made_up:
        made_up = MadeUp(library)
        made_up.ask(look.made_up, library, teachers_directory(places.teachers), places.cache)
    own = library.only(training_clips(library.clips, fold))
    return Windows(own, Recipe(), np.random.default_rng(), made_up, lessons)


def _sounds(library: Library, lessons: Mapping[str, Lesson]) -> list[Samples]:
    """Return stretches of sound that nobody labelled, some of them as loud as they are, others at any level."""
    random = np.random.default_rng(0)
    unlabelled = [clip for clip in library.clips if clip.label == UNLABELLED]
    sounds = []
    for number in range(_SOUNDS):
        clip = unlabelled[int(random.integers(len(unlabelled)))]
        lesson = lessons[clip.path]
        sound = library.recordings.piece(clip.path, int(random.choice(lesson.starts)), lesson.stretch)
        if number % 2:
            peak = float(np.abs(sound).max()) + 1e-9
            sound = sound * np.float32(10 ** (random.uniform(*_GAIN_DB) / 20) / peak)
        sounds.append(np.pad(sound, (0, lesson.stretch - len(sound))))
    return sounds
