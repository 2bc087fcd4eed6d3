"""What the teachers hear in every clip by itself: what the network learns beside our classes.

Teachers listen to clean clips, not to mixtures: what a teacher of 521 classes makes of a dog alone and of a street
alone is a better lesson than what it makes of a dog that the street drowns. YAMNet says when, mn04 says what.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .datasets import Clip
from .progress import track
from .recordings import Recordings
from .teachers import DENSE_HOP, DENSE_LEAD, WINDOW, hear_dense

# Scores are kept as bytes; 255 stands for "nobody was asked".
SCALE = 250
UNTAUGHT = 255

MN04_WINDOW = 160_000
LOWEST_LOGIT = -6.5
# What both teachers hold for nearly impossible is silence to the pupil.
NOTHING = 0.004


class Knowledge:
    """The teachers' joint scores of every clip over time, by the clip's path."""

    def __init__(self, scores: Mapping[str, NDArray[np.uint8]]) -> None:
        """Take the scores [windows, classes] of every clip, windows `DENSE_HOP` apart, as bytes."""
        self.scores = scores

    def joined(self, other: "Knowledge") -> "Knowledge":
        """Return what is known of the clips of both."""
        return Knowledge({**self.scores, **other.scores})

    def at(self, path: str, starts: NDArray[np.floating]) -> NDArray[np.float32]:
        """Return the scores of the windows that start at these samples of the clip, [n, classes], 0 to 1.

        Windows that lie outside the clip hear nothing of it.
        """
        scores = self.scores[path]
        index = np.rint(starts / DENSE_HOP).astype(int) + DENSE_LEAD
        inside = (index >= 0) & (index < len(scores))
        heard: NDArray[np.float32] = scores[np.clip(index, 0, len(scores) - 1)] * np.float32(1 / SCALE)
        heard[~inside] = 0
        return heard


def open_knowledge(directory: Path, recordings: Recordings, clips: Sequence[Clip], cache: Path) -> Knowledge:
    """Ask both teachers about every clip, once per cache."""
    path = cache / "knowledge.npz"
    if path.is_file():
        with np.load(path) as stored:
            if {clip.path for clip in clips} <= set(stored.files):
                return Knowledge({name: stored[name] for name in stored.files})
    from .mn04 import hear_clips, yamnet_columns  # noqa: PLC0415 - TensorFlow loads for seconds; `--help` does not wait

    when = hear_dense(directory, recordings, clips, cache)
    what = hear_clips(directory, recordings, clips, cache)
    columns = yamnet_columns(directory)
    scores = {
        clip.path: _joint(when[clip.path], what[clip.path], columns)
        for clip in track(clips, "joining the teachers")
    }
    np.savez(path, allow_pickle=False, **scores)
    return Knowledge(scores)


def _joint(
    when: NDArray[np.uint8], what: NDArray[np.float32], columns: NDArray[np.int64]
) -> NDArray[np.uint8]:
    """Return the scores of the mean of both teachers' logits, as bytes.

    `when` is YAMNet's, [windows, 521] in 256ths; `what` is mn04's logits, [10 s windows, 527]; `columns` says which of
    mn04's belongs to each of YAMNet's, -1 where none does.
    """
    score = np.clip(when / np.float32(256), 1e-4, 1 - 1e-4)
    own = np.maximum(np.log(score / (1 - score)), LOWEST_LOGIT)
    centre = (np.arange(len(when)) - DENSE_LEAD) * DENSE_HOP + WINDOW // 2
    place = np.clip(centre // MN04_WINDOW, 0, len(what) - 1)
    other = np.maximum(what[place][:, columns], LOWEST_LOGIT)
    logits = np.where(columns >= 0, (own + other) / 2, own)
    joint = 1 / (1 + np.exp(-logits))
    joint[joint < NOTHING] = 0
    scores: NDArray[np.uint8] = np.rint(joint * SCALE).astype(np.uint8)
    return scores
