"""What the satellite's own detector makes of what networks heard: the code that ships decides what is counted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from echonet_satellite.decision import Decision, Tone
from echonet_satellite.detector import Detector, StreamEvent
from echonet_satellite.frontend import FrontendParameters, decibels, log_mel
from echonet_satellite.hearing import dbfs
from echonet_satellite.insistence import FEWEST_FRAMES, frames_needed, insists, only_beeps
from echonet_satellite.onset import frame_levels
from echonet_satellite.presence import evidence
from echonet_satellite.protocol import Phase, Sensitivity, SoundClass
from echonet_satellite.second_look import blend
from echonet_satellite.tones import TONAL_DB, tonal_contrast

from ..data.manifest import CLASSES
from ..data.recordings import Samples
from .pooled import SECOND, SHARES, SPEECH, STEP_FRAMES, STEP_S, STEP_SAMPLES, Logits, quiet

_PRESENCE = CLASSES.index(SoundClass.PRESENCE)
_LEAD_FRAMES = 160


@dataclass(frozen=True, slots=True)
class Calibration:
    """Makes probabilities of logits: sigmoid(slope * logit + offset) for each class; `second` of the second look's."""

    slopes: NDArray[np.float32]
    offsets: NDArray[np.float32]
    second: tuple[NDArray[np.float32], NDArray[np.float32]]

    def probabilities(self, logits: Logits) -> NDArray[np.float32]:
        """Return the probabilities [steps, 8] that the detector takes: of presence its evidence, talk included."""
        first = 1 / (1 + np.exp(-(logits[:, :SPEECH] * self.slopes + self.offsets)))
        slopes, offsets = self.second
        own = blend(first, logits[:, SECOND] * slopes + offsets, SHARES)
        speech = 1 / (1 + np.exp(-logits[:, SPEECH]))
        own[:, _PRESENCE] = evidence(own[:, _PRESENCE], speech.astype(np.float32))
        return np.asarray(own, np.float32)


@dataclass(frozen=True, slots=True)
class Stream:
    """A sound as the detector sees it.

    Attributes:
        logits: what the network said of each step, [steps, COLUMNS].
        levels: of the frames of each step, in dB, [steps, 16, 3].
        lead_in: of those before the first, [160, 3].
        peaks: the loudest sample of each step, in dB below full scale.
        tones: what is heard of one tone in each step, of `Tone`, [steps].
    """

    logits: Logits
    levels: NDArray[np.float32]
    lead_in: NDArray[np.float32]
    peaks: Sequence[float]
    tones: NDArray[np.int8]


def stream_of(samples: Samples, logits: Logits) -> Stream:
    """Return what the detector sees of a sound that a network heard."""
    steps = len(logits)
    parameters = FrontendParameters()
    heard = quiet(_LEAD_FRAMES * 160 + steps * STEP_SAMPLES + 352)
    heard[_LEAD_FRAMES * 160 :][: len(samples)] += samples[: steps * STEP_SAMPLES]
    frames = log_mel(heard, parameters)
    levels = frame_levels(frames, parameters)
    whole = np.zeros(steps * STEP_SAMPLES, np.float32)
    whole[: len(samples)] = samples[: len(whole)]
    peaks = np.abs(whole).reshape(steps, STEP_SAMPLES).max(axis=1)
    own = levels[_LEAD_FRAMES:][: steps * STEP_FRAMES].reshape(steps, STEP_FRAMES, -1)
    loud = [dbfs(float(peak)) for peak in peaks]
    return Stream(logits, own, levels[:_LEAD_FRAMES], loud, _tones(frames, steps))


def _tones(frames: NDArray[np.float32], steps: int) -> NDArray[np.int8]:
    """Return what is heard of one tone in each step."""
    parameters = FrontendParameters()
    levels_db = decibels(frames, parameters)
    needed = frames_needed(parameters)
    tonal = np.cumsum(tonal_contrast(levels_db).max(axis=1) >= TONAL_DB)
    found = np.full(steps, Tone.NONE, np.int8)
    for step in range(steps):
        end = _LEAD_FRAMES + STEP_FRAMES * (step + 1)
        # The satellite, too, remembers nothing of before its first frame; and most sounds are not tonal enough by far.
        likely = end >= _LEAD_FRAMES + needed and tonal[end - 1] - tonal[end - needed] > needed / 2
        if likely and insists(levels_db[end - needed : end], parameters):
            found[step] = Tone.INSISTS
        elif tonal[end - 1] - tonal[end - _LEAD_FRAMES] >= FEWEST_FRAMES:
            beeps = only_beeps(levels_db[end - _LEAD_FRAMES : end], parameters)
            found[step] = Tone.BEEPS if beeps else Tone.NONE
    return found


def detections(
    stream: Stream,
    calibration: Calibration,
    decisions: Mapping[SoundClass, Decision],
    sensitivity: Mapping[SoundClass, Sensitivity],
) -> list[StreamEvent]:
    """Return the end of each detection in a stream, with the time of its decision in `at_s`."""
    detector = Detector(CLASSES, decisions, sensitivity, step_s=STEP_S)
    detector.lead_in(stream.lead_in)
    decided: dict[int, float] = {}
    found: list[StreamEvent] = []
    for row, levels, peak, tone in zip(
        calibration.probabilities(stream.logits), stream.levels, stream.peaks, stream.tones, strict=True
    ):
        for event in detector.push(row.tolist(), levels, peak, tone=Tone(tone)):
            if event.phase is Phase.START:
                decided[event.number] = event.at_s
            elif event.phase is Phase.END:
                found.append(event)
    found += detector.flush()
    return [replace(event, at_s=decided[event.number]) for event in found]
