"""The folds of the comparison: sources to be scored on, and windows of all others to learn from and to choose by."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

import numpy as np

from echonet_satellite.protocol import SoundClass

from ..data.folds import FOLDS, judged_clips, training_clips
from ..data.library import Library
from ..data.manifest import Clip
from ..errors import ModelsError
from .windows import Windows, cut_windows, join

TUNED_SHARE = 5
"""One in so many windows is kept to choose by (when to stop, how strict to be), recording by recording."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fold:
    """One part of the sources to be scored on, and all others to learn from; the two share no recording.

    Attributes:
        train: to learn from.
        tune: to choose by, of other recordings, where labels are sure.
        scored: of the sources left out, those whose labels are sure.
        learned: the clips that may be learned from.
        judged: the clips whose windows are scored.
        library: the recordings.
        seed: everything random comes from it.
        quick: whether to take seconds.
    """

    train: Windows
    tune: Windows
    scored: Windows
    learned: list[Clip]
    judged: list[Clip]
    library: Library
    seed: int
    quick: bool

    def asked(self, target: SoundClass | None) -> "Fold":
        """Return the fold with the question whether a window holds one class."""
        train, tune, scored = (part.asked(target) for part in (self.train, self.tune, self.scored))
        return replace(self, train=train, tune=tune, scored=scored)


def leave_sources_out(library: Library, per_class: int, seed: int, *, quick: bool = False) -> list[Fold]:
    """Return the folds; of each at most `per_class` windows of a class are cut, and of everyday sound.

    Every window is scored in its own fold and learned from in the others. What is suspect is neither, what is unsure
    is learned from alone.

    Raises:
        ModelsError: the recordings are too few.
    """
    judged = [_clear(judged_clips(library.clips, number)) for number in range(FOLDS)]
    parts = [
        cut_windows(library, own, per_class, np.random.default_rng([seed, number]))
        for number, own in enumerate(judged)
    ]
    folds = []
    for number, (own, part) in enumerate(zip(judged, parts, strict=True)):
        learned = _clear(training_clips(library.clips, number))
        known = _of(join(parts), learned)
        tuned = np.isin(known.origins, sorted(_tuned(known)))
        sure = [clip for clip in own if not clip.unsure]
        fold = Fold(
            train=known.take(~tuned),
            tune=_of(known.take(tuned), [clip for clip in learned if not clip.unsure]),
            scored=_of(part, sure),
            learned=learned,
            judged=sure,
            library=library,
            seed=seed,
            quick=quick,
        )
        if not all(map(len, (fold.train, fold.tune, fold.scored))):
            raise ModelsError("the folder of recordings holds too few sources to leave any out")
        folds.append(fold)
    return folds


def digest(folds: Sequence[Fold]) -> str:
    """Return a name for exactly these windows."""
    known = sha256()
    for fold in folds:
        for windows in (fold.train, fold.tune, fold.scored):
            for path, start, label in zip(windows.clips, windows.starts, windows.labels, strict=True):
                known.update(f"{path} {start} {label}\n".encode())
    return known.hexdigest()[:16]


def _tuned(windows: Windows) -> set[str]:
    """Return the recordings to choose by: of each label those that hold a share of its windows, and none of one."""
    chosen: set[str] = set()
    for label in np.unique(windows.labels):
        origins, counts = np.unique(windows.origins[windows.labels == label], return_counts=True)
        left = max(int(counts.sum()) // TUNED_SHARE, int(counts.min()) if len(counts) > 1 else 0)
        for origin, count in sorted(
            zip(origins.tolist(), counts.tolist(), strict=True),
            key=lambda each: sha256(each[0].encode()).digest(),
        ):
            if count <= left:
                chosen.add(origin)
                left -= count
    return chosen


def _of(windows: Windows, clips: Sequence[Clip]) -> Windows:
    return windows.take(np.isin(windows.clips, [clip.path for clip in clips]))


def _clear(clips: Sequence[Clip]) -> list[Clip]:
    return [clip for clip in clips if not clip.suspect]
