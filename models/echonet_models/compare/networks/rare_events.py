"""Rare events (paper D): chunks that slide over a sound, where an event begins, and DCASE 2017 task 2.

That is mixtures of sounds over a background, and the event error rate with an onset collar of 500 ms for an approach
that says when. A. Mesaros et al., "DCASE 2017 challenge setup: tasks, datasets and baseline system", DCASE 2017.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from echonet_satellite.protocol import SoundClass

from ...data.activity import HOP, SOUNDS, UNSURE, Labels
from ...data.library import Library
from ...data.manifest import BACKGROUND, CLASSES, Clip
from ...data.recordings import SAMPLE_RATE
from ...errors import ModelsError
from ...mixing.placing import by_recording, draw, faded, lay, looped
from ..windows import Floats

ONSET_LEVEL = 0.5


class Rule(NamedTuple):
    """How a class is decided: `spans` of the chunks whose networks are averaged, and how high a peak has to be."""

    spans: tuple[int, ...]
    presence: float


RULES: dict[SoundClass, Rule] = {
    SoundClass.BABY_CRY: Rule((5, 9, 50), 0.8),
    SoundClass.GLASS_BREAK: Rule((3,), 0.8),
    SoundClass.GUNSHOT: Rule((3, 5), 0.5),
}
SPANS = (3, 5, 9, 50)
RARE_CLASSES = tuple(RULES)
# An alarm or a baby may go on for minutes; what matters is the beginning.
LONGEST_FRAMES = 5 * SAMPLE_RATE // HOP
# What is heard just before the onset still belongs to the event.
FRAMES_BEFORE = 5
FADE = SAMPLE_RATE // 200
EBR_DB = (-6.0, 0.0, 6.0)
SECONDS, COLLAR_S = 30, 0.5
Curves = Callable[[Floats, Sequence[SoundClass]], Mapping[SoundClass, Floats]]
"""Sounds [N, samples] and classes: the curves of each, [N, frames] evenly spaced."""
Counts = list[list[list[int]]]
"""Hits, false alarms and events of each class and ratio."""


def chunks(frames: NDArray[np.generic], span: int, hop: int, fill: float = 0.0) -> NDArray[np.generic]:
    """Return what a window of `span` frames sees as it slides: [frames, ...] -> [chunks, span, ...].

    The last one ends with the last frame. A sound shorter than a chunk is filled up at its end.
    """
    missing = max(0, span - len(frames))
    if missing:
        frames = np.concatenate([frames, np.full((missing, *frames.shape[1:]), fill, frames.dtype)])
    last = len(frames) - span
    return np.asarray(frames[np.append(np.arange(0, last, hop), last)[:, None] + np.arange(span)])


def overlap_mean(predicted: Floats, count: int) -> Floats:
    """Return each frame's mean over the chunks that hold it, one frame apart: [chunks, span, ...] -> [count, ...]."""
    number, span = predicted.shape[:2]
    total = np.zeros((number + span - 1, *predicted.shape[2:]), np.float64)
    seen = np.zeros(number + span - 1)
    for place in range(span):
        total[place : place + number] += predicted[:, place]
        seen[place : place + number] += 1
    mean = total / seen.reshape(-1, *[1] * (total.ndim - 1))
    return mean[:count].astype(np.float32)


def onset_frame(curve: Floats, presence: float) -> int | None:
    """Return the frame in which the event of a sound begins, or None where it holds none.

    There is one where the curve's peak is over `presence`; it begins in the first frame over 0.5, up to the peak.
    """
    peak = int(np.argmax(curve))
    if not curve[peak] > presence:
        return None
    return int(np.flatnonzero(curve[: peak + 1] > min(ONSET_LEVEL, presence))[0])


def ensemble(predicted: Mapping[int, Floats], spans: tuple[int, ...]) -> Floats:
    """Return the mean of the curves of several spans."""
    return np.asarray(np.mean([predicted[span] for span in spans], axis=0), np.float32)


@dataclass(frozen=True, slots=True)
class Mixture:
    """Samples, what sounds in each 10 ms [frames, 8], and when the event begins, if there is one."""

    samples: Floats
    labels: Labels
    onset_s: float | None


class Mixer:
    """Makes mixtures of some clips, from a seed."""

    def __init__(self, library: Library, clips: Sequence[Clip], seed: int) -> None:
        """Take the clips.

        Raises:
            ModelsError: there is no background among them.
        """
        self._library, self._random = library, np.random.default_rng(seed)
        self._backgrounds = by_recording(clip for clip in clips if clip.label == BACKGROUND)
        if not self._backgrounds:
            raise ModelsError(
                "sources without backgrounds make no mixtures; the folder of recordings lacks them"
            )
        heard = {
            name: by_recording(
                clip
                for clip in clips
                if clip.sound_class is name and (library.labels(clip)[:, column] == SOUNDS).any()
            )
            for column, name in enumerate(CLASSES)
        }
        self._events = {name: recordings for name, recordings in heard.items() if recordings}
        self.classes = list(self._events)
        """Those of which there is a sound."""

    def mix(self, seconds: float, name: SoundClass | None, ebr_db: float) -> Mixture:
        """Return a background with a sound of a class at this event-to-background ratio, or without any."""
        frames = round(seconds * SAMPLE_RATE) // HOP
        background = draw(self._backgrounds, self._random)
        samples, labels = self._library.recordings[background.path], self._library.labels(background)
        first = int(self._random.integers(max(1, len(labels) - frames)))
        samples, labels = looped(samples, first * HOP, frames * HOP), looped(labels, first, frames)
        onset_s = None if name is None else self._add(samples, labels, name, ebr_db)
        return Mixture(samples / max(1.0, float(np.abs(samples).max())), labels, onset_s)

    def _add(self, samples: Floats, labels: Labels, name: SoundClass, ebr_db: float) -> float:
        """Add a sound somewhere; return when it begins."""
        clip = draw(self._events[name], self._random)
        own = self._library.labels(clip)
        sounding = np.flatnonzero(own[:, CLASSES.index(name)] == SOUNDS)
        first = max(0, int(sounding[0]) - FRAMES_BEFORE)
        last = min(int(sounding[-1]) + 1, first + min(LONGEST_FRAMES, len(labels)))
        event = faded(self._library.recordings[clip.path][first * HOP : last * HOP], 0, FADE)
        place = int(self._random.integers(len(labels) - (last - first) + 1))
        lay(samples, event, place * HOP, ebr_db)
        over, under = own[first:last], labels[place:][: last - first]
        under[:] = np.where(
            (over == SOUNDS) | (under == SOUNDS), SOUNDS, np.where(over == UNSURE, over, under)
        )
        return (place + int(sounding[0]) - first) * HOP / SAMPLE_RATE


def count(mixer: Mixer, curves: Curves, with_event: int) -> Counts:
    """Return what is found in `with_event` mixtures per class and ratio, and as many without an event per ratio."""
    counts = np.zeros((len(RARE_CLASSES), len(EBR_DB), 3), int)
    wanted = [name for name in RARE_CLASSES if name in mixer.classes]
    for column, ebr_db in enumerate(EBR_DB):
        for _ in range(with_event):
            for name in (*wanted, None):
                mixture = mixer.mix(SECONDS, name, ebr_db)
                asked = RARE_CLASSES if name is None else (name,)
                for own, curve in curves(mixture.samples[None], asked).items():
                    counts[RARE_CLASSES.index(own), column] += _match(own, curve[0], mixture.onset_s)
    return counts.tolist()


def report(outcomes: Sequence[Counts], with_event: int) -> dict[str, Any]:
    """Return the table of error rates per class and event-to-background ratio, and F1, of all folds."""
    counts = np.sum(outcomes, axis=0)
    rows: list[list[str | float]] = []
    for name, own in zip(RARE_CLASSES, counts, strict=True):
        whole = own.sum(axis=0)
        f1 = 2 * whole[0] / max(1, whole[0] + whole[1] + whole[2])
        rows.append([str(name), *map(error_rate, own), error_rate(whole), float(f1)])
    rows.append(["mean", *(float(np.mean([float(row[column]) for row in rows])) for column in range(1, 6))])
    ratios = [f"error rate at {ebr_db:+.0f} dB" for ebr_db in EBR_DB]
    return {
        "title": "Rare events over a background",
        "note": f"Mixtures of {SECONDS} s from sources left out, {len(outcomes) * with_event} with an event per class "
        f"and ratio and as many without one; an onset counts within {COLLAR_S * 1000:.0f} ms. Lower error rates are "
        "better; 1 is what a system that never claims anything has.",
        "columns": ["class", *ratios, "error rate", "F1"],
        "rows": rows,
    }


def error_rate(counts: ArrayLike) -> float:
    """Return misses and false alarms per event, from hits, false alarms and events."""
    hits, false_alarms, events = np.asarray(counts)
    return float((events - hits + false_alarms) / max(1, events))


def _match(name: SoundClass, curve: Floats, onset_s: float | None) -> tuple[int, int, int]:
    """Return hits, false alarms and events of one mixture."""
    frame = onset_frame(curve, RULES[name].presence)
    found_s = None if frame is None else (frame + 0.5) * SECONDS / len(curve)
    hit = found_s is not None and onset_s is not None and abs(found_s - onset_s) <= COLLAR_S
    return int(hit), int(found_s is not None and not hit), int(onset_s is not None)
