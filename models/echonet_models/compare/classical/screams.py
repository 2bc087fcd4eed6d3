"""Paper E's question (scream or not) and its two experiments: from one domain to another, and four ways to train.

The paper's domains are two cities. Here they are sources: "there" are those of a fold, "here" all others.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from echonet_satellite.protocol import SoundClass

from ...data.manifest import BACKGROUND, CLASSES
from ..approach import Factory
from ..folds import Fold
from ..windows import OTHER_LABEL, Windows, join
from .clip_features import FNN, SVM, ClipFeatures, feed_forward, support_vectors

SCREAM = CLASSES.index(SoundClass.SCREAM)
DRAWS, MIXED_SHARE = 3, 0.3
NOISE_GAIN, NOISY_SHARE, SHIFTED_SHARE = 0.4, 0.2, 0.5
Outcome = dict[str, list[int]]
"""By way to train and system: screams found, screams, others taken for screams, others."""


class Scream(ClipFeatures):
    """Scream or not, and a further experiment."""

    title: str
    note: str

    def report(self, outcomes: Sequence[Outcome]) -> dict[str, Any]:
        """Return the table of all folds."""
        rows: list[list[str | float]] = []
        for key in outcomes[0]:
            hits, screams, false, others = np.sum([outcome[key] for outcome in outcomes], axis=0)
            f1 = 2 * hits / max(1, hits + false + screams)
            f1_other = 2 * (others - false) / max(1, 2 * others - false + screams - hits)
            accuracy = (hits + others - false) / max(1, screams + others)
            rows.append([*key.split("|"), *(round(float(value), 4) for value in (f1, f1_other, accuracy))])
        columns = ["training", "system", "F1 scream", "F1 other", "accuracy"]
        return {"title": self.title, "note": self.note, "columns": columns, "rows": rows}


class ScreamSvm(Scream):
    """Scream or not with support vectors; asked besides how it gets on in another domain."""

    title = "Scream or not, from one domain to another (the phases of paper E)"
    note = (
        f"There are the sources of a fold, here all others; each fold once. The small part is {MIXED_SHARE:.0%} of "
        f"the recordings of there, drawn {DRAWS} times. No recording is both learned from and tested on."
    )

    def experiment(self, fold: Fold) -> Outcome:
        """Return what the four phases find."""
        here, there = join([fold.train, fold.tune]), fold.scored
        generator = np.random.default_rng(fold.seed)
        found = _trial({}, "A: train here, test there", fold, here, there)
        for _ in range(1 if fold.quick else DRAWS):
            small = np.isin(there.origins, small_part(there, generator))
            part, rest = there.take(small), there.take(~small)
            _trial(found, "B: train on a small part of there, test on the rest", fold, part, rest)
            _trial(found, "C: train on that part of there, test here", fold, part, here)
            _trial(found, "D: train here and on that part, test on the rest", fold, join([here, part]), rest)
        return found


class ScreamFnn(Scream):
    """Scream or not with a feed-forward network; asked besides what augmentation and weights are worth."""

    title = "Scream or not, trained in four ways (paper E)"
    note = (
        f"Augmented: copies with background at {NOISE_GAIN} of every scream and of {NOISY_SHARE:.0%} of the others, "
        f"{SHIFTED_SHARE:.0%} of the copies shifted in time. Sources are left out as everywhere."
    )

    def experiment(self, fold: Fold) -> Outcome:
        """Return what the four ways find."""
        more = join([fold.train, self._augmented(fold, np.random.default_rng(fold.seed))])
        found = _trial({}, "raw", fold, fold.train, fold.scored, weighted=False)
        _trial(found, "augmented", fold, more, fold.scored, weighted=False)
        _trial(found, "weighted loss", fold, fold.train, fold.scored)
        return _trial(found, "augmented and weighted", fold, more, fold.scored)

    @staticmethod
    def _augmented(fold: Fold, generator: np.random.Generator) -> Windows:
        """Return noisy copies of all screams and of a share of the others, half of them shifted in time."""
        noises = [clip for clip in fold.learned if clip.label == BACKGROUND]
        train = fold.train
        copies = train.take((train.labels == SCREAM) | (generator.random(len(train)) < NOISY_SHARE))
        samples = copies.samples / (np.abs(copies.samples).max(axis=1, keepdims=True) + 1e-6)
        for row in samples:
            if generator.random() < SHIFTED_SHARE:
                row[:] = np.roll(row, generator.integers(len(row)))
            noise = fold.library.recordings[noises[int(generator.integers(len(noises)))].path]
            start = generator.integers(max(1, len(noise) - len(row)))
            cut = noise[start : start + len(row)]
            row[: len(cut)] += NOISE_GAIN * cut / (np.abs(cut).max() + 1e-6)
        return replace(copies, samples=samples)


def small_part(windows: Windows, generator: np.random.Generator) -> list[str]:
    """Return `MIXED_SHARE` of the recordings of screams and of the others, at least one of each."""
    part: list[str] = []
    for label in (SCREAM, OTHER_LABEL):
        origins = np.unique(windows.origins[windows.labels == label])
        part += generator.permutation(origins)[: max(1, round(MIXED_SHARE * len(origins)))].tolist()
    return part


def _trial(
    found: Outcome, way: str, fold: Fold, learn: Windows, test: Windows, *, weighted: bool = True
) -> Outcome:
    """Add what both systems find in `test` to what was found before."""
    # With a higher penalty support vectors fit every scream there is, and their weight makes no difference.
    systems = {
        "SVM": partial(support_vectors, (1.0,), weighted=weighted),
        "FNN": partial(feed_forward, (25,), weighted=weighted),
    }
    truth = test.labels == SCREAM
    for name, system in systems.items():
        counts = found.setdefault(f"{way}|{name}", [0] * 4)
        if len(np.unique(learn.labels)) > 1 and len(test):
            machine = ClipFeatures("", "E", "", system)
            machine.fit(replace(fold, train=learn, tune=learn))
            said = machine.predict(test).argmax(axis=1) == SCREAM
            for place, value in enumerate((said & truth, truth, said & ~truth, ~truth)):
                counts[place] += int(value.sum())
    return found


APPROACHES: tuple[Factory, ...] = (
    partial(ScreamSvm, "scream-svm", "E", "scream or not: the baseline of the paper", SVM, SoundClass.SCREAM),
    partial(ScreamFnn, "scream-fnn", "E", "scream or not with a small network", FNN, SoundClass.SCREAM),
)
