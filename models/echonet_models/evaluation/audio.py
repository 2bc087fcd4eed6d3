"""The sound that everybody is measured on: clips, mixtures and onsets of both splits, cut down for a quick look."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from ..activity import Labels
from ..datasets import BACKGROUND, CLASSES, OTHER, Clip, Split
from ..listening import Probabilities
from ..material import Material
from .latency import Onset, onsets
from .rare_events import Mixture, RareEvents
from .store import Sound, Store
from .windows import Windows, window_scores, window_truth

SEED = 2017


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is heard.

    Attributes:
        with_event: mixtures with an event per class and ratio; as many have none.
        recordings: at most so many recordings of a label in a split, one clip of each; None for all.
    """

    with_event: int = 24
    recordings: int | None = None


FULL = Plan()
QUICK = Plan(with_event=1, recordings=5)


@dataclass(frozen=True, slots=True)
class Part:
    """One split: its sure clips with their labels per step, and its mixtures."""

    clips: list[Clip]
    labels: dict[str, Labels]
    mixtures: list[Mixture]
    maker: RareEvents


@dataclass(frozen=True, slots=True)
class Audio:
    """Both splits, and the onsets of validation."""

    material: Material
    tune: Part
    validation: Part
    onsets: list[Onset]

    def describe(self) -> dict[str, Any]:
        """Return how much of what there is to be measured on."""
        return {
            "validation": _counts(self.validation.clips),
            "tune": _counts(self.tune.clips),
            "mixtures": {"validation": len(self.validation.mixtures), "tune": len(self.tune.mixtures)},
            "onsets": len(self.onsets),
        }


@dataclass(frozen=True, slots=True)
class Heard:
    """What one listener heard of all that, by key."""

    tune: dict[str, Probabilities]
    validation: dict[str, Probabilities]
    tune_mixtures: dict[str, Probabilities]
    validation_mixtures: dict[str, Probabilities]
    onsets: dict[str, Probabilities]


def gather(material: Material, plan: Plan) -> Audio:
    """Return what there is to hear."""
    tune, validation = (_part(material, split, plan) for split in (Split.TUNE, Split.VALIDATION))
    return Audio(material, tune, validation, onsets(validation.clips, material.recordings, material.taught))


def hear(audio: Audio, store: Store) -> Heard:
    """Let the listener of a store hear everything."""

    def mixtures(part: Part, what: str) -> dict[str, Probabilities]:
        sounds = [Sound(mixture.key, partial(part.maker.render, mixture)) for mixture in part.mixtures]
        return store.hear(sounds, what)

    return Heard(
        store.hear(clip_sounds(audio.material, audio.tune.clips), "tune clips"),
        hear_validation(audio, store),
        mixtures(audio.tune, "tune mixtures"),
        mixtures(audio.validation, "validation mixtures"),
        store.hear([Sound(onset.key, partial(_samples, onset)) for onset in audio.onsets], "onsets"),
    )


def hear_validation(audio: Audio, store: Store) -> dict[str, Probabilities]:
    """Let the listener of a store hear the validation clips."""
    return store.hear(clip_sounds(audio.material, audio.validation.clips), "validation clips")


def sure_clips(material: Material, split: Split, plan: Plan) -> list[Clip]:
    """Return the clips of a split whose label is sure, as many as the plan asks for."""
    clips = [clip for clip in material.of(split) if not clip.unsure]
    return clips if plan.recordings is None else list(_few(clips, plan.recordings))


def clip_sounds(material: Material, clips: Sequence[Clip]) -> list[Sound]:
    """Return clips as sounds to hear."""
    return [Sound(clip.path, partial(material.recordings.__getitem__, clip.path)) for clip in clips]


def windows(part: Part, heard: Mapping[str, Probabilities], reach: tuple[int, int]) -> Windows:
    """Return the windows of all clips of a split as a listener heard them."""
    places = {origin: number for number, origin in enumerate({clip.origin: None for clip in part.clips})}
    labels = {places[clip.origin]: clip.label for clip in part.clips}
    truth = [window_truth(part.labels[clip.path]) for clip in part.clips]
    return Windows(
        truth=np.concatenate(truth),
        scores=np.concatenate(
            [
                window_scores(heard[clip.path], len(own), reach)
                for clip, own in zip(part.clips, truth, strict=True)
            ]
        ),
        recordings=np.concatenate(
            [
                np.full(len(own), places[clip.origin], np.int64)
                for clip, own in zip(part.clips, truth, strict=True)
            ]
        ),
        labels=[labels[number] for number in range(len(places))],
    )


def _part(material: Material, split: Split, plan: Plan) -> Part:
    clips = sure_clips(material, split, plan)
    labels = {clip.path: material.label(clip) for clip in clips}
    # Each split has a seed of its own only to have other mixtures; their recordings differ anyway.
    seed = SEED + list(Split).index(split)
    maker = RareEvents(clips, material.recordings, material.taught, seed=seed)
    return Part(clips, labels, maker.mixtures(plan.with_event), maker)


def _few(clips: Sequence[Clip], recordings: int) -> Iterable[Clip]:
    taken: dict[str, set[str]] = defaultdict(set)
    for clip in clips:
        if clip.origin not in taken[clip.label] and len(taken[clip.label]) < recordings:
            taken[clip.label].add(clip.origin)
            yield clip


def _samples(onset: Onset) -> Any:
    return onset.samples


def _counts(clips: Sequence[Clip]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for label in (*map(str, CLASSES), OTHER, BACKGROUND):
        own = [clip for clip in clips if clip.label == label]
        found[label] = {
            "clips": len(own),
            "recordings": len({clip.origin for clip in own}),
            "minutes": round(sum(clip.duration_s for clip in own) / 60, 1),
        }
    return found
