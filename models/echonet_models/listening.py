"""What a network hears in clips: probabilities over time, and the detections that the satellite makes of them."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from echonet_satellite.classifier import LEAD_IN_FRAMES, Classifier, quiet_room
from echonet_satellite.detector import Decision, Detector, StreamEvent
from echonet_satellite.frontend import FrontendParameters, log_mel
from echonet_satellite.hearing import PADDING_S
from echonet_satellite.protocol import Phase, Sensitivity, SoundClass

from .activity import STEP
from .datasets import CLASSES, Clip
from .networks.streaming import StreamingNetwork
from .progress import track
from .recordings import Recordings, Samples

BATCH_FRAMES = 60_000
# What the satellite has heard before a stream: its lead-in, and the step that runs into the stream.
QUIET_FRAMES = LEAD_IN_FRAMES + 16

Probabilities = NDArray[np.float32]


def clip_frames(samples: Samples, parameters: FrontendParameters) -> NDArray[np.float32]:
    """Return the log-mel frames of the quiet before a stream, of a clip and of a short silence after it."""
    # A sound at the very end is decided in the silence that follows, as `echonet-satellite classify` does it.
    tail = int(PADDING_S * parameters.sample_rate)
    steps = -(-(len(samples) + tail) // (2 * STEP)) * 2
    length = steps * STEP + parameters.n_fft - parameters.hop_length
    before = quiet_room(QUIET_FRAMES * parameters.hop_length)
    stream = np.concatenate([before, np.pad(samples, (0, length - len(samples)))])
    return log_mel(stream, parameters)[: QUIET_FRAMES + steps * 8]


def stream(classifier: Classifier, samples: Samples) -> Probabilities:
    """Return the probabilities [steps, 8] that the satellite's classifier gives for a clip and the silence after it."""
    size = classifier.card.step_frames
    # It has heard the lead-in already; the step after that, still quiet, runs into the clip.
    frames = clip_frames(samples, classifier.card.frontend)[LEAD_IN_FRAMES:]
    classifier.reset()
    rows = [classifier.step(frames[first : first + size]) for first in range(0, len(frames) - size + 1, size)]
    return np.concatenate(rows[(QUIET_FRAMES - LEAD_IN_FRAMES) // size :]).astype(np.float32)


def listen(
    network: StreamingNetwork, recordings: Recordings, clips: Sequence[Clip], what: str
) -> dict[str, Probabilities]:
    """Return the probabilities [steps, 8] of every clip, by path."""
    parameters = FrontendParameters()
    ordered = sorted(clips, key=lambda clip: recordings.length(clip.path))
    heard: dict[str, Probabilities] = {}
    for group in track(_groups(ordered, recordings), what):
        frames = [clip_frames(recordings[clip.path], parameters) for clip in group]
        longest = max(len(rows) for rows in frames)
        # The network is causal: what is padded behind a clip does not change what it hears in the clip.
        padded = np.stack([np.pad(rows, ((0, longest - len(rows)), (0, 0))) for rows in frames])
        logits = network.sequence.predict_on_batch(padded)
        for clip, rows, values in zip(group, frames, logits, strict=True):
            own = values[QUIET_FRAMES // 8 : len(rows) // 8]
            heard[clip.path] = (1 / (1 + np.exp(-own))).astype(np.float32)
    return heard


def detections(
    probabilities: Probabilities, decisions: Mapping[SoundClass, Decision], sensitivity: Sensitivity
) -> list[StreamEvent]:
    """Return the starts of all detections that the satellite's own detector makes."""
    detector = Detector(CLASSES, decisions, dict.fromkeys(CLASSES, sensitivity))
    events = [event for row in probabilities.tolist() for event in detector.push(row, -20.0)]
    return [event for event in events if event.phase is Phase.START]


def firing_scores(probabilities: Probabilities, decision: Decision, column: int) -> NDArray[np.float32]:
    """Return per step the highest threshold at which the class would be confirmed there.

    The k-th largest of the last n smoothed probabilities: an oracle for choosing thresholds without running the
    detector once for each.
    """
    values = probabilities[:, column]
    if decision.smoothing_steps > 1:
        kernel = np.ones(decision.smoothing_steps, np.float32) / decision.smoothing_steps
        values = np.convolve(values, kernel)[: len(values)]
    needed, window = decision.confirm
    if window == 1:
        return values
    padded = np.concatenate([np.zeros(window - 1, np.float32), values])
    windows = np.lib.stride_tricks.sliding_window_view(padded, window)
    scores: NDArray[np.float32] = np.sort(windows, axis=1)[:, -needed]
    return scores


def logit(probabilities: NDArray[np.floating], sure: float) -> NDArray[np.float64]:
    """Return log-odds; nothing is surer than `sure` away from 0 and 1."""
    clipped = np.clip(probabilities.astype(np.float64), sure, 1 - sure)
    logits: NDArray[np.float64] = np.log(clipped / (1 - clipped))
    return logits


def _groups(clips: Sequence[Clip], recordings: Recordings) -> list[list[Clip]]:
    groups: list[list[Clip]] = []
    frames = 0
    for clip in clips:
        length = recordings.length(clip.path) // 160 + 100
        if not groups or frames + length > BATCH_FRAMES:
            groups.append([])
            frames = 0
        groups[-1].append(clip)
        frames += length
    return groups
