"""Trains every variant on the same mixtures and measures it; what is done is not done again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
import gc
from pathlib import Path
import shutil
import time

import keras
import numpy as np

from ..activity import IGNORE
from ..datasets import CLASSES, Split
from ..errors import ModelsError
from ..material import Material
from ..pools import Pool
from ..progress import duration, track
from ..teachers import ClassMap
from ..training import Trainer
from .amounts import FULL, QUICK, Amounts
from .scoring import EvenOdds, Jury, Measure, Score, compare
from .store import Results
from .variants import CHOSEN, VARIANTS, Sampling, Variant


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a variant."""

    variant: Variant
    scores: Mapping[Measure, Score]
    even_odds: EvenOdds
    weights: Mapping[str, float]
    """How much more a step with each class counted."""
    trained_s: float


@dataclass(frozen=True, slots=True)
class Support:
    """What there is of a class: to learn from, and to be scored on."""

    clips: int
    recordings: int
    shares: Mapping[Sampling, float]
    tune_recordings: int
    mixtures: int
    """Common mixtures that hold it."""
    steps: float
    """The share of their sure steps that hold it."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """All that the page tells."""

    outcomes: Sequence[Outcome]
    """The chosen recipe first."""
    support: Mapping[str, Support]
    amounts: Amounts
    quick: bool


def compare_choices(
    material: Material, folder: Path, *, quick: bool = False, again: bool = False
) -> Comparison:
    """Train the variants that have no result in the folder yet, and compare all with the chosen recipe.

    Args:
        material: what they learn from and are scored on.
        folder: of the results.
        quick: a few mixtures and a tiny network, to see that it works.
        again: train all of them, whatever is there.
    """
    amounts = QUICK if quick else FULL
    results = Results(folder, material, amounts)
    if again:
        results.forget()
    waiting = [variant for variant in VARIANTS if results.read(variant) is None]
    # Those that learn from the same mixtures follow one another.
    waiting.sort(key=lambda variant: list(Sampling).index(variant.sampling))
    tune = results.tune()
    start = time.monotonic()
    for number, variant in enumerate(waiting, 1):
        results.keep_pools(waiting[number - 1 :])
        print(f"[{number}/{len(waiting)}] {variant.name}: {variant.what}", flush=True)
        _train(variant, results, tune, material.class_map)
        left = (time.monotonic() - start) / number * (len(waiting) - number)
        print(f"[{number}/{len(waiting)}] {variant.name}: done; all: {duration(left)} left", flush=True)
    results.keep_pools([])
    return Comparison(_measured(results, tune), _support(results, material, tune), amounts, quick)


def _train(variant: Variant, results: Results, tune: Pool, class_map: ClassMap | None) -> None:
    start = time.monotonic()
    run = results.training(variant)
    trainer = Trainer(run, results.amounts.shape, results.amounts.schedule(variant), tune, class_map)
    trainer.train(results.pools(variant.sampling))
    logits = trainer.network.sequence.predict(tune.features.astype(np.float32), batch_size=64, verbose=0)
    found = {
        "weights": dict(zip(map(str, CLASSES), trainer.positive_weights, strict=True)),
        # Of a training that was stopped, the time since.
        "trained_s": round(time.monotonic() - start, 1),
    }
    results.write(variant, logits, found)
    shutil.rmtree(run)
    del trainer
    # TensorFlow would keep every network that it was ever given.
    keras.backend.clear_session()
    gc.collect()


def _measured(results: Results, tune: Pool) -> list[Outcome]:
    jury = Jury(tune.labels, times=results.amounts.resamples)
    chosen = jury.measure(results.logits(CHOSEN))
    outcomes = []
    for variant in track(VARIANTS, "comparing"):
        stored, logits = results.read(variant), results.logits(variant)
        if stored is None:
            raise ModelsError(f"{variant.name} has no result: something else writes to {results.folder}")
        own = chosen if variant is CHOSEN else jury.measure(logits)
        scores = {measure: compare(own[measure], chosen[measure]) for measure in Measure}
        outcomes.append(
            Outcome(variant, scores, jury.even_odds(logits), stored["weights"], stored["trained_s"])
        )
    return outcomes


def _support(results: Results, material: Material, tune: Pool) -> dict[str, Support]:
    found = {}
    for column, name in enumerate(CLASSES):
        clips = {
            split: [clip for clip in material.of(split) if clip.sound_class is name]
            for split in (Split.TRAIN, Split.TUNE)
        }
        labels = tune.labels[..., column]
        found[str(name)] = Support(
            len(clips[Split.TRAIN]),
            len({clip.origin for clip in clips[Split.TRAIN]}),
            {sampling: results.shares[sampling][name] for sampling in Sampling},
            len({clip.origin for clip in clips[Split.TUNE]}),
            int((labels == 1).any(axis=1).sum()),
            float((labels == 1).sum() / max(1, (labels != IGNORE).sum())),
        )
    return found
