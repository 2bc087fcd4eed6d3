"""From a recording of a sound to what it is to the network, wherever in the recording it sounds. Pure."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from ..audio import SAMPLE_RATE
from ..card import ModelCard
from ..classifier import Classifier, quiet_room
from ..frontend import Floats, log_mel
from ..protocol import Sensitivity, SoundClass
from ..quantiles import percentile

# So much below its loudest moment a sound still belongs to it.
_DEPTH_DB: Final = 30.0
# What is not louder than the rest by this much goes on all the time, as a washing machine does.
_RISE_DB: Final = 10.0
# And what is this quiet is nothing.
QUIETEST_DBFS: Final = -66.0
_LONGEST_S: Final = 5.0
# A step tells of a sound when so much of it is in its window.
_SEEN_S: Final = 0.4
_SEEN: Final = 0.7
_AROUND: Final = SAMPLE_RATE // 2
_FRAME: Final = SAMPLE_RATE // 100


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Recorded:
    """A recording as the network hears it: `embeddings` [moments, size], for how long it sounds, and as which class."""

    embeddings: Floats
    seconds: float
    sound_class: SoundClass | None = None


def sounding(samples: Floats) -> tuple[int, int] | None:
    """Return from which sample to before which a recording holds its sound; None if there is nothing to hear."""
    frames = samples[: len(samples) // _FRAME * _FRAME].reshape(-1, _FRAME)
    if not len(frames):
        return None
    power = np.square(frames).mean(axis=1)
    level = 10 * np.log10(power + 1e-12)
    # A single frame may be a click; the loudest of the smoothed ones is the sound.
    smooth = 10 * np.log10(np.convolve(power, np.ones(5) / 5, mode="same") + 1e-12)
    top, floor = float(smooth.max()), percentile(level, 10)
    if top < QUIETEST_DBFS:
        return None
    if top - floor < _RISE_DB:
        first, last = 0, len(frames)
    else:
        loud = np.flatnonzero(smooth >= max(top - _DEPTH_DB, floor + _RISE_DB / 2))
        first, last = int(loud[0]), int(loud[-1]) + 1
    last = min(last, first + round(_LONGEST_S * 100))
    return first * _FRAME, last * _FRAME


def trimmed(samples: Floats) -> Floats:
    """Return the part of a recording that is worth keeping: its sound, and a little before and after it."""
    extent = sounding(samples)
    if extent is None:
        return samples[:0]
    first, last = extent
    return samples[max(0, first - _AROUND) : last + _AROUND]


def listen(classifier: Classifier, samples: Floats) -> Recorded | None:
    """Return what a recording is to the network in the steps that hear its sound; None if it is silent."""
    card = classifier.card
    size = card.step_samples
    extent = sounding(samples)
    if extent is None:
        return None
    first, last = extent
    window = card.window_frames * card.frontend.hop_length
    steps = -(-(min(len(samples), last) + window // 2) // size)
    heard = quiet_room(steps * size + card.frontend.n_fft)
    known = samples[: len(heard)]
    heard[: len(known)] += known
    frames = log_mel(heard, card.frontend)
    classifier.reset()
    found = []
    for step in range(steps):
        now = classifier.step(frames[step * card.step_frames : (step + 1) * card.step_frames])
        end = (step + 1) * size
        seen = min(end, last) - max(end - window, first)
        if seen >= min(_SEEN_S * SAMPLE_RATE, _SEEN * (last - first)):
            found.append(now)
    if not found:
        return None
    return Recorded(
        embeddings=np.stack([now.embedding for now in found]),
        seconds=(last - first) / SAMPLE_RATE,
        sound_class=_told_as(card, np.stack([now.probabilities for now in found])),
    )


def _told_as(card: ModelCard, probabilities: Floats) -> SoundClass | None:
    """Return the class that is told of the moments of a sound, the surest first; presence is no sound of a thing."""
    over = {}
    for name, own in zip(card.classes, probabilities.T, strict=True):
        decision = card.decisions[name]
        steps = min(decision.smoothing_steps, len(own))
        smooth = np.lib.stride_tricks.sliding_window_view(own, steps).mean(axis=1)
        over[name] = float(smooth.max()) - decision.thresholds[Sensitivity.MEDIUM]
    over.pop(SoundClass.PRESENCE, None)
    surest = max(over, key=over.__getitem__, default=None)
    return surest if surest is not None and over[surest] >= 0 else None
