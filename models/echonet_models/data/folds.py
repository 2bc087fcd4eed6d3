"""Folds that leave whole sources out: what a network is judged on comes from places that it never heard of.

The sources of each label are dealt out to the folds, label by label, so that every fold misses about a third of the
recordings of each class. A source that holds most of a class is a fold of its own.
"""

from collections import defaultdict
from collections.abc import Sequence
import hashlib

from .manifest import TWINS, UNLABELLED, Clip

FOLDS = 3


def held_out(clips: Sequence[Clip], folds: int = FOLDS) -> dict[str, int]:
    """Return the fold in which each clip is judged, by path; unlabelled clips are in none."""
    recordings: dict[tuple[str, str], set[str]] = defaultdict(set)
    for clip in clips:
        if clip.label != UNLABELLED:
            recordings[clip.label, clip.source].add(clip.origin)
    place: dict[tuple[str, str], int] = {}
    for label in sorted({label for label, _ in recordings}):
        load = [0] * folds
        own = [key for key in recordings if key[0] == label]
        # The largest first, each to the fold that has least; equals in the order of a hash.
        for key in sorted(own, key=lambda key: (-len(recordings[key]), _digest(key[1]))):
            fold = load.index(min(load))
            place[key] = fold
            load[fold] += len(recordings[key])
    return {clip.path: place[clip.label, clip.source] for clip in clips if clip.label != UNLABELLED}


def training_clips(clips: Sequence[Clip], fold: int | None, folds: int = FOLDS) -> list[Clip]:
    """Return what the network of a fold may hear: no clip of it, and no other clip of a recording that has one there.

    `fold` None is the network that is released, which hears everything.
    """
    if fold is None:
        return list(clips)
    place = held_out(clips, folds)
    outside = {clip.origin for clip in clips if place.get(clip.path) == fold}
    outside |= {name for twins in TWINS if outside & set(twins) for name in twins}
    return [clip for clip in clips if clip.origin not in outside]


def judged_clips(clips: Sequence[Clip], fold: int, folds: int = FOLDS) -> list[Clip]:
    """Return the clips that the network of a fold is judged on."""
    place = held_out(clips, folds)
    return [clip for clip in clips if place.get(clip.path) == fold]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
