"""Paper E's question (scream or not) and its two experiments: from one domain to another, and four ways to train.

The paper's domains are two cities; here they are sources, for there are no others. Screams are few: a phase is the
mean of several draws, and no figure of it says more than that.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.metrics import accuracy_score, f1_score

from echonet_satellite.protocol import SoundClass

from ..datasets import BACKGROUND, CLASSES, Clip, Split
from ..material import Material
from .approach import Factory, Progress
from .clip_features import OneClassFeatures, one_class
from .feature_models import Examples, FeatureModel, Fnn, Labels, Svm
from .features import Floats, clip_features
from .windows import OTHER_LABEL, Windows, cut_windows, windows_of

SCREAM = CLASSES.index(SoundClass.SCREAM)
MODELS: Mapping[str, Callable[[bool], FeatureModel]] = {
    # With a higher penalty it fits every scream there is, and their weight makes no difference.
    "SVM": lambda weighted: Svm(weighted, (1.0,)),
    "FNN": lambda weighted: Fnn(weighted, epochs=25),
}
DRAWS, MIXED_SHARE = 5, 0.3
NOISE_GAIN, NOISY_SHARE, SHIFTED_SHARE = 0.4, 0.2, 0.5
WINDOWS_PER_CLASS = 200


@dataclass(frozen=True, slots=True)
class Rows:
    """Features, labels (a scream, or `OTHER_LABEL`) and recordings of windows."""

    features: Floats
    labels: Labels
    origins: Sequence[str]

    @classmethod
    def of(cls, windows: Windows) -> "Rows":
        """Compute them."""
        return cls(
            clip_features(windows.samples), one_class(windows.labels, SoundClass.SCREAM), windows.origins
        )

    def take(self, origins: set[str], *, inside: bool = True) -> "Rows":
        """Return the rows of some recordings, or of all others."""
        chosen = np.array([(origin in origins) is inside for origin in self.origins], bool)
        kept = [origin for origin, keep in zip(self.origins, chosen, strict=True) if keep]
        return Rows(self.features[chosen], self.labels[chosen], kept)

    def __add__(self, more: "Rows") -> "Rows":
        return Rows(
            np.concatenate([self.features, more.features]),
            np.concatenate([self.labels, more.labels]),
            [*self.origins, *more.origins],
        )


class ScreamSvm(OneClassFeatures):
    """Scream or not with a support vector machine; asked besides how it gets on in another domain."""

    def extra(self, material: Material, *, seed: int, quick: bool, progress: Progress) -> dict[str, Any]:
        """Return F1 and accuracy of the four phases."""
        here, there = domains(material.clips)
        generator = np.random.default_rng(seed)
        both = [
            cut_windows(material, clips, limit_per_class=WINDOWS_PER_CLASS, generator=generator)
            for clips in (here, there)
        ]
        rows: list[list[str | float]] = []
        if all((windows.labels == SCREAM).any() for windows in both):
            home, away = map(Rows.of, both)
            draws = [small_part(away, generator) for _ in range(1 if quick else DRAWS)]
            for number, (name, make) in enumerate(MODELS.items()):
                phases = {
                    "A: train here, test there": [(home, away)],
                    "B: train on a small part of there, test on the rest": [
                        (away.take(part), away.take(part, inside=False)) for part in draws
                    ],
                    "C: train on that part of there, test here": [(away.take(part), home) for part in draws],
                    "D: train here and on that part of there, test on the rest of there": [
                        (home + away.take(part), away.take(part, inside=False)) for part in draws
                    ],
                }
                for phase, trials in phases.items():
                    rows.append([phase, name, *_mean([_trial(make(True), *trial, seed) for trial in trials])])
                progress((number + 1) / len(MODELS))
        return {
            "title": "Scream or not, from one domain to another (the phases of paper E)",
            "note": f"Here is {_counted(here)}; there are {_counted(there)}. The small part is "
            f"{MIXED_SHARE:.0%} of the recordings of there, drawn {DRAWS} times; figures are means. No recording is "
            "both learned from and tested on. These are the recordings of all splits, for there are no more screams.",
            "columns": ["phase", "system", "F1 scream", "F1 other", "accuracy"],
            "rows": rows,
        }


class ScreamFnn(OneClassFeatures):
    """Scream or not with a feed-forward network; asked besides what augmentation and weights are worth."""

    def extra(self, material: Material, *, seed: int, quick: bool, progress: Progress) -> dict[str, Any]:
        """Return F1 and accuracy of the four ways to train."""
        limit = WINDOWS_PER_CLASS // (8 if quick else 1)
        train = windows_of(material, Split.TRAIN, limit_per_class=limit, seed=seed)
        raw = Rows.of(train)
        test = Rows.of(windows_of(material, Split.VALIDATION, limit_per_class=limit, seed=seed))
        noises = [clip for clip in material.of(Split.TRAIN) if clip.label == BACKGROUND]
        more = raw + Rows.of(augmented(train, material, noises, np.random.default_rng(seed)))
        ways = {
            "raw": (raw, False),
            "augmented": (more, False),
            "weighted loss": (raw, True),
            "augmented and weighted": (more, True),
        }
        rows: list[list[str | float]] = []
        for name, make in MODELS.items():
            for way, (rows_of_way, weighted) in ways.items():
                rows.append([way, name, *_mean([_trial(make(weighted), rows_of_way, test, seed)])])
                progress(len(rows) / (len(ways) * len(MODELS)))
        return {
            "title": "Scream or not, trained in four ways (paper E)",
            "note": f"Augmented: copies with background at {NOISE_GAIN} of every scream and of {NOISY_SHARE:.0%} of "
            f"the others, {SHIFTED_SHARE:.0%} of the copies shifted in time. Learned from train, tested on validation: "
            f"{int((test.labels == SCREAM).sum())} windows of screams there.",
            "columns": ["training", "system", "F1 scream", "F1 other", "accuracy"],
            "rows": rows,
        }


def domains(clips: Sequence[Clip]) -> tuple[list[Clip], list[Clip]]:
    """Return the clips of the source with the most recordings of screams, and those of the other sources of screams.

    Clips of a recording that is in both are left out of the second.
    """
    recordings: dict[str, set[str]] = {}
    for clip in clips:
        if clip.sound_class is SoundClass.SCREAM:
            recordings.setdefault(clip.source, set()).add(clip.origin)
    largest = max(sorted(recordings), key=lambda source: len(recordings[source]), default="")
    here = [clip for clip in clips if clip.source == largest]
    known = {clip.origin for clip in here}
    there = [
        clip
        for clip in clips
        if clip.source in recordings and clip.source != largest and clip.origin not in known
    ]
    return here, there


def small_part(rows: Rows, generator: np.random.Generator) -> set[str]:
    """Return `MIXED_SHARE` of the recordings of screams and of the others, at least one of each."""
    part: set[str] = set()
    for label in (SCREAM, OTHER_LABEL):
        origins = sorted(
            {origin for origin, own in zip(rows.origins, rows.labels, strict=True) if own == label}
        )
        count = max(1, round(MIXED_SHARE * len(origins)))
        part.update(generator.permutation(origins)[:count].tolist())
    return part


def augmented(
    windows: Windows, material: Material, noises: Sequence[Clip], generator: np.random.Generator
) -> Windows:
    """Return noisy copies of all screams and of a share of the others, half of them shifted in time."""
    noisy = (windows.labels == SCREAM) | (generator.random(len(windows)) < NOISY_SHARE)
    copies = windows.take(noisy)
    samples = copies.samples / (np.abs(copies.samples).max(axis=1, keepdims=True) + 1e-6)
    for row in samples:
        if generator.random() < SHIFTED_SHARE:
            row[:] = np.roll(row, generator.integers(len(row)))
        noise = material.recordings[noises[int(generator.integers(len(noises)))].path]
        start = generator.integers(max(1, len(noise) - len(row)))
        cut = noise[start : start + len(row)]
        row[: len(cut)] += NOISE_GAIN * cut / (np.abs(cut).max() + 1e-6)
    return Windows(samples, copies.labels, copies.origins, copies.clips, copies.starts)


def _trial(model: FeatureModel, train: Rows, test: Rows, seed: int) -> tuple[float, float, float]:
    """Return F1 of screams, F1 of the others and accuracy."""
    # There are too few screams to choose anything by: it learns for as long as it is told to.
    examples = Examples(train.features, train.labels, train.features, train.labels)
    model.fit(examples, seed=seed, quick=False, progress=lambda _: None)
    guessed = model.labels()[model.probabilities(test.features).argmax(axis=1)]
    scream, other = (
        float(f1_score(test.labels, guessed, pos_label=label, zero_division=0.0))
        for label in (SCREAM, OTHER_LABEL)
    )
    return scream, other, float(accuracy_score(test.labels, guessed))


def _mean(trials: Sequence[tuple[float, float, float]]) -> list[float]:
    return [round(float(value), 4) for value in np.mean(trials, axis=0)]


def _counted(clips: Sequence[Clip]) -> str:
    screams = [clip for clip in clips if clip.sound_class is SoundClass.SCREAM]
    sources, recordings = {clip.source for clip in clips}, {clip.origin for clip in screams}
    kinds = "one source" if len(sources) == 1 else f"{len(sources)} sources"
    return f"{kinds} with {len(screams)} clips of {len(recordings)} recordings of screams"


APPROACHES: tuple[Factory, ...] = (
    lambda _material: ScreamSvm(
        SoundClass.SCREAM, "scream-svm", "E", "scream or not: the baseline of the paper", Svm
    ),
    lambda _material: ScreamFnn(
        SoundClass.SCREAM, "scream-fnn", "E", "scream or not with a small network", Fnn
    ),
)
