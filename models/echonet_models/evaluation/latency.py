"""From the onset of a sound to the moment at which its detection is known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
import zlib

import numpy as np
from numpy.typing import NDArray

from echonet_satellite.classifier import LEAD_IN_AMPLITUDE
from echonet_satellite.detector import STEP_S
from echonet_satellite.protocol import Sensitivity

from ..activity import label_clip
from ..datasets import CLASSES, Clip
from ..listening import Probabilities, detections
from ..recordings import SAMPLE_RATE, Recordings, Samples
from .intervals import figure, resamples
from .listeners import Listener, to_int16
from .onsets import faded, first_onset
from .systems import Decisions

QUIET_S = (1.0, 1.48)
BEFORE_S = 0.3
AFTER_S = 6.0
# Clips of one recording are alike, and the long recordings would decide.
CLIPS_PER_RECORDING = 4


@dataclass(frozen=True, slots=True)
class Onset:
    """A clip laid over the quiet of a room, and when its sound begins in that."""

    key: str
    clip: Clip
    samples: Samples
    onset_s: float


def onsets(
    clips: Sequence[Clip], recordings: Recordings, taught: Mapping[str, NDArray[np.float32]]
) -> list[Onset]:
    """Return the clips that surely hold their class, each after at least a second of a quiet room.

    The quiet has another length for each, so that onsets fall anywhere between two blocks or windows.
    """
    found: list[Onset] = []
    taken: dict[str, int] = {}
    for clip in clips:
        if clip.sound_class is None or taken.get(clip.origin, 0) >= CLIPS_PER_RECORDING:
            continue
        samples = recordings[clip.path]
        start = first_onset(clip, samples, label_clip(clip, samples, taught[clip.path]))
        if start is None:
            continue
        taken[clip.origin] = taken.get(clip.origin, 0) + 1
        generator = np.random.default_rng(zlib.crc32(clip.path.encode()))
        quiet = int(generator.uniform(*QUIET_S) * SAMPLE_RATE)
        first = max(0, start - round(BEFORE_S * SAMPLE_RATE))
        event = faded(
            samples[first : start + round(AFTER_S * SAMPLE_RATE)],
            # What sounds before the onset comes gradually: a sudden hum would be an event of its own.
            min(start - first, SAMPLE_RATE // 10),
            SAMPLE_RATE // 20,
        )
        sound = generator.normal(0, LEAD_IN_AMPLITUDE, quiet + len(event) + SAMPLE_RATE).astype(np.float32)
        sound[quiet : quiet + len(event)] += event
        rounded = to_int16(sound).astype(np.float32) / np.float32(32768)
        onset_s = (quiet + start - first) / SAMPLE_RATE
        found.append(Onset(f"onset/{clip.path}", clip, rounded, onset_s))
    return found


def latency(
    sounds: Sequence[Onset], heard: Mapping[str, Probabilities], decisions: Decisions, listener: Listener
) -> dict[str, Any]:
    """Return per class how long after its onset a sound is known, at medium sensitivity.

    A detection is known when the block of sound that decides it has been heard to its end. `missed` sounds have no
    latency; `early` are those that were detected before the onset of their labels, and count as none either.
    """
    figures: dict[str, Any] = {}
    for name in CLASSES:
        own = [sound for sound in sounds if sound.clip.sound_class is name]
        delays: list[float] = []
        recordings: list[str] = []
        missed = early = 0
        for sound in own:
            started = [
                event
                for event in detections(heard[sound.key], decisions, Sensitivity.MEDIUM)
                if event.sound_class is name
            ]
            known = [listener.known_s(round(event.at_s / STEP_S) - 1) for event in started]
            if not known:
                missed += 1
            elif known[0] < sound.onset_s:
                early += 1
            else:
                delays.append(known[0] - sound.onset_s)
                recordings.append(sound.clip.origin)
        if own:
            counts = {"sounds": len(own), "measured": len(delays), "missed": missed, "early": early}
            figures[str(name)] = {**counts, **_percentiles(delays, recordings)}
    return figures


def _percentiles(delays: Sequence[float], recordings: Sequence[str]) -> dict[str, Any]:
    if not delays:
        return {}
    values = np.array(delays)
    places = {recording: number for number, recording in enumerate(dict.fromkeys(recordings))}
    member = np.array([places[recording] for recording in recordings])
    weights = resamples([0] * len(places))
    spread = np.array(
        [np.percentile(np.repeat(values, row[member].astype(int)), (50, 95)) for row in weights]
    )
    median, late = np.percentile(values, (50, 95))
    return {"median_s": figure(median, spread[:, 0]), "p95_s": figure(late, spread[:, 1])}
