"""At which threshold a stream would fire: the detector's rule turned around, for all thresholds at once.

The slow answer, a detector for each threshold, is its oracle in the tests.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from echonet_satellite.decision import Tone, weigh
from echonet_satellite.protocol import SoundClass

from ..data.manifest import CLASSES
from .decisions import Shape
from .pooled import STEP_S
from .replay import Stream

_WINDOW_FRAMES = 160
_BESIDE = 4

Scores = NDArray[np.float64]


def firing_scores(
    stream: Stream, probabilities: NDArray[np.float32], name: SoundClass, shape: Shape
) -> Scores:
    """Return for each step the highest threshold that a detection could start with at it, [steps]."""
    raw = probabilities[:, CLASSES.index(name)].astype(np.float64)
    raw = np.where(stream.tones == Tone.BEEPS, weigh(raw, 1 / shape.beeps), raw)
    if shape.scene is not None:
        kept = float(np.exp(-STEP_S / shape.scene.build_up_s))
        smooth = lfilter([1 - kept], [1, -kept], raw)
    else:
        smooth = _mean(raw, shape.smoothing_steps)
    if shape.lasting is not None:
        steps = shape.lasting.steps
        long = weigh(_mean(raw, steps), shape.lasting.odds)
        smooth[steps - 1 :] = np.maximum(smooth, long)[steps - 1 :]
    if shape.insistence > 1:
        smooth = np.where(stream.tones == Tone.INSISTS, weigh(smooth, shape.insistence), smooth)
    needed, window = shape.confirm
    padded = np.concatenate((np.zeros(window - 1), smooth))
    recent = np.lib.stride_tricks.sliding_window_view(padded, window)
    # The newest step has to be over the threshold as well.
    fires = np.minimum(np.sort(recent, axis=1)[:, window - needed], smooth)
    if shape.at_once is not None:
        fires = np.maximum(fires, weigh(raw, 1 / shape.at_once))
    if shape.rise_db:
        fires = np.where(highest_rise(stream) >= shape.rise_db, fires, 0.0)
    scores: Scores = fires
    return scores


def highest_rise(stream: Stream) -> NDArray[np.float32]:
    """Return for each step by how much the level rises at most within the network's window, in dB, [steps]."""
    levels = np.concatenate((stream.lead_in, stream.levels.reshape(-1, stream.levels.shape[-1])))
    padded = np.pad(levels, ((_BESIDE, _BESIDE), (0, 0)), "edge")
    sums = np.cumsum(np.concatenate((np.zeros((1, padded.shape[1])), padded)), axis=0)
    means = (sums[_BESIDE:] - sums[:-_BESIDE]) / _BESIDE
    rises = (means[_BESIDE:] - means[:-_BESIDE]).max(axis=1)[: len(levels)]
    steps, size = stream.levels.shape[:2]
    lead = len(stream.lead_in)
    ends = lead + size * (np.arange(steps) + 1)
    return np.array([rises[max(0, end - _WINDOW_FRAMES) : end].max() for end in ends], np.float32)


def blocks(scores: Scores, seconds: float) -> Scores:
    """Return the highest score of each stretch of so many seconds: false alarms that lie nearer than that are one."""
    length = max(1, round(seconds / STEP_S))
    count = -(-len(scores) // length)
    highest: Scores = np.pad(scores, (0, count * length - len(scores))).reshape(count, length).max(axis=1)
    return highest


def _mean(values: Scores, steps: int) -> Scores:
    """Return the mean of the last steps, of fewer at the beginning."""
    if steps == 1:
        return values
    sums = np.cumsum(np.concatenate(([0.0], values)))
    last = np.arange(1, len(values) + 1)
    first = np.maximum(0, last - steps)
    means: Scores = (sums[last] - sums[first]) / (last - first)
    return means
