"""Class cleaning: which windows of a clip do not hold the class that the clip is named after.

As in the literature (audio for security cameras: distance of a patch's embedding to the representative vectors of the
classes), with a bias to keep: recordings are few, so what is loud and merely unlike the others stays. A window is
doubted only where it lies far from its own class *and* clearly nearer to something else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
import hashlib
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from echonet_satellite.protocol import SoundClass

from .activity import STEP
from .datasets import BACKGROUND, SUSPECT, Clip, Split
from .decisions import Decision, standing_decisions
from .embeddings import EMBEDDING_HOP, Embeddings, embed_clips
from .recordings import SAMPLE_RATE, Recordings
from .representatives import (
    RECORDINGS_PER_VECTOR,
    VECTORS,
    WINDOWS_PER_CLIP,
    Floats,
    Limits,
    Representatives,
    find_representatives,
    window_levels,
)
from .teachers import DENSE_LEAD, WINDOW, hear_dense, read_class_map

Verdicts = NDArray[np.int8]


class Verdict(StrEnum):
    """What is done with a window of a class."""

    KEEP = "keep"
    DOUBTFUL = "doubtful"
    """Not learned from."""
    DROP = "drop"
    """Learned from as not holding the class."""


CODES = {Verdict.KEEP: 1, Verdict.DOUBTFUL: -1, Verdict.DROP: 0}
KEPT, DOUBTED, DROPPED = (CODES[verdict] for verdict in Verdict)


def judge(
    own: SoundClass,
    embeddings: Embeddings | Floats,
    levels: Floats,
    heard: Floats,
    representatives: Representatives,
    limits: Limits | None = None,
) -> Verdicts:
    """Return the verdict (`CODES`) on each window of a clip, [windows].

    Args:
        own: the clip's class.
        embeddings: of its windows, [windows, size].
        levels: see `window_levels`, [windows].
        heard: the teacher's score of that class, 0 to 1, [windows].
        representatives: what the classes are like.
        limits: when to doubt.
    """
    limits = limits or Limits()
    verdicts = np.full(len(embeddings), KEPT, np.int8)
    if str(own) not in representatives.names:
        return verdicts
    mine, rival, _names = representatives.compare(own, representatives.distances(embeddings))
    far = mine > representatives.far[str(own)]
    quiet = levels < -limits.quiet_db
    known = representatives.recordings[str(own)] >= limits.few
    verdicts[known & far & (mine - rival > limits.margin)] = DOUBTED
    verdicts[quiet & (mine - rival > 0)] = DOUBTED
    verdicts[quiet & far & (mine - rival > limits.quiet_margin)] = DROPPED
    verdicts[(levels < -limits.silent_db) & (mine - rival > 0)] = DROPPED
    verdicts[heard >= limits.heard] = KEPT
    return verdicts


def to_steps(verdicts: Verdicts, steps: int) -> Verdicts:
    """Return the verdict on each output step, [steps]: the best of the windows around it.

    A window that begins in silence and ends in a bark is kept; its silence is told by level, see `activity`.
    """
    rank = np.array([0, 1, 2])[np.select([verdicts == KEPT, verdicts == DOUBTED], [2, 1], 0)]
    centre = np.arange(len(verdicts)) * EMBEDDING_HOP + WINDOW / 2
    place = (np.arange(steps) + 0.5) * STEP
    apart = np.abs(centre[None, :] - place[:, None])
    # At both ends of a clip the nearest window speaks for all that is beyond its centre.
    around = apart <= np.maximum(1.5 * EMBEDDING_HOP, apart.min(axis=1, keepdims=True))
    best = np.where(around, rank[None, :], -1).max(axis=1)
    told: Verdicts = np.array([DROPPED, DOUBTED, KEPT], np.int8)[best]
    return told


def decide(verdicts: Verdicts, decisions: Sequence[Decision]) -> Verdicts:
    """Return the verdicts on steps with what a person has decided after listening."""
    decided = verdicts.copy()
    for decision in decisions:
        first = int(decision.start_s * SAMPLE_RATE // STEP)
        last = -int(-decision.stop_s * SAMPLE_RATE // STEP)
        decided[first:last] = KEPT if decision.keep else DROPPED
    return decided


def verdicts(
    clips: Sequence[Clip],
    recordings: Recordings,
    cache: Path,
    teachers: Path,
    split: Mapping[str, Split],
    decisions: Sequence[Decision] | None = None,
) -> dict[str, Verdicts]:
    """Return the verdict on every step of every clip of a class, by path: 1 keep, -1 doubtful, 0 drop, [steps].

    What the classes are like is learned from the training split alone. Decisions of a person count for more; without
    an argument they are those that the cache has, see `adopt_decisions`. Cached, for each split and list of decisions.
    """
    decisions = standing_decisions(cache) if decisions is None else decisions
    wanted = [clip.path for clip in clips if clip.sound_class]
    path = cache / f"verdicts-{_fingerprint(clips, split, decisions)}.npz"
    if path.is_file():
        with np.load(path) as stored:
            return {name: stored[name] for name in wanted}
    judged = judge_clips(clips, recordings, cache, teachers, split).verdicts
    result = settle(judged, recordings, decisions)
    partial = path.with_suffix(".partial.npz")
    np.savez(partial, allow_pickle=False, **result)
    partial.replace(path)
    return result


def settle(
    judged: Mapping[str, Verdicts], recordings: Recordings, decisions: Sequence[Decision]
) -> dict[str, Verdicts]:
    """Return the verdicts on steps, [steps], of those on windows, both by path; decisions of a person override."""
    settled = {}
    for path, windows in judged.items():
        steps = max(1, -(-recordings.length(path) // STEP))
        own = [decision for decision in decisions if decision.path == path]
        settled[path] = decide(to_steps(windows, steps), own)
    return settled


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdicts on windows and what they rest on; all by the clip's path."""

    verdicts: dict[str, Verdicts]
    """[windows], clips of a class only."""
    representatives: Representatives
    embedded: dict[str, Embeddings]
    levels: dict[str, Floats]
    """[windows], see `window_levels`; not of backgrounds."""
    scores: dict[str, NDArray[np.uint8]]
    """The teacher's scores of the same windows in 256ths, [windows, 521]."""


def judge_clips(
    clips: Sequence[Clip],
    recordings: Recordings,
    cache: Path,
    teachers: Path,
    split: Mapping[str, Split],
) -> Judgement:
    """Judge every window of every clip of a class by what the training split's clips are like."""
    embedded = embed_clips(teachers, recordings, clips, cache)
    dense = hear_dense(teachers, recordings, clips, cache)
    # Both lie on one grid, but the teacher's begins before the clip.
    scores = {clip.path: dense[clip.path][DENSE_LEAD:][: len(embedded[clip.path])] for clip in clips}
    levels = {
        clip.path: window_levels(recordings[clip.path], len(embedded[clip.path]))[0]
        for clip in clips
        if clip.label != BACKGROUND
    }
    train = [clip for clip in clips if split[clip.origin] is Split.TRAIN]
    representatives = find_representatives(embedded, levels, train)
    class_map = read_class_map(teachers)
    judged = {}
    for clip in clips:
        own, path = clip.sound_class, clip.path
        if own is not None:
            heard = scores[path][:, class_map.core[own]].max(axis=1) / np.float32(256)
            judged[path] = judge(own, embedded[path], levels[path], heard, representatives)
            if clip.suspect:
                judged[path] = np.where(heard >= Limits().heard, KEPT, np.minimum(judged[path], DOUBTED))
    return Judgement(judged, representatives, embedded, levels, scores)


def _fingerprint(clips: Sequence[Clip], split: Mapping[str, Split], decisions: Sequence[Decision]) -> str:
    """Name what verdicts depend on: clips, the training split, limits and decisions."""
    parts = [
        sorted((clip.path, clip.label, str(split[clip.origin])) for clip in clips),
        repr((Limits(), VECTORS, RECORDINGS_PER_VECTOR, WINDOWS_PER_CLIP, SUSPECT)),
        [repr(decision) for decision in decisions],
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]
