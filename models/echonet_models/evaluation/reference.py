"""The reference set that is shipped beside a network: what it makes of true sounds, and of the sounds of every day.

Recordings cannot be shipped, embeddings can: a satellite holds what a home teaches it against them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from echonet_satellite.classifier import Classifier, Heard
from echonet_satellite.frontend import Floats, log_mel
from echonet_satellite.learning.reference import Reference
from echonet_satellite.protocol import SoundClass

from ..data.library import Library
from ..data.manifest import BACKGROUND, CLASSES, OTHER, Clip
from ..data.recordings import SAMPLE_RATE, Samples
from ..mixing.alarms import smoke_or_co_alarm
from ..progress import track
from .pooled import quiet, windows_of

# Of each recording so many moments are kept, the most telling ones.
MOMENTS = 3
# A recording that the network itself does not hear cannot be lost.
HEARD = 0.5
# A window of 1.6 s of everyday sounds is taken every so often; of what is true, every third step.
_EVERY = 5 * SAMPLE_RATE
_STRIDE = 3
_LONGEST = 5 * SAMPLE_RATE
_ALARMS = 40
_ALARM_S = 12.0
# How much of the spread of everyday sounds is taken for chance.
_SHRINKAGE = 0.1


def make_reference(classifier: Classifier, library: Library) -> Reference:
    """Return the reference set of a network."""
    clips = library.clips
    everyday = _everyday(classifier, library, [clip for clip in clips if clip.label in (BACKGROUND, OTHER)])
    sounds = {
        name: _true(classifier, library, one_of_each(clips, name), name) for name in classifier.card.classes
    }
    return assemble(everyday, sounds, _smoke(classifier))


def assemble(everyday: Floats, sounds: Mapping[SoundClass, Sequence[Floats]], smoke: Floats) -> Reference:
    """Return the reference set of embeddings: those of every day, and telling moments."""
    mean, basis = _whitening(everyday)
    space = Reference(mean=mean, basis=basis, sounds={}, smoke=basis[:0], usual=mean, spread=basis)
    return replace(
        among(space, space.place(everyday)),
        sounds={name: space.place(np.reshape(own, (-1, MOMENTS, len(mean)))) for name, own in sounds.items()},
        smoke=space.place(smoke),
    )


def among(reference: Reference, everyday: Floats) -> Reference:
    """Return a reference set with these directions of everyday sounds."""
    return replace(reference, usual=everyday.mean(axis=0), spread=np.cov(everyday.T, dtype=np.float32))


def telling(embeddings: Floats, scores: Floats) -> Floats:
    """Return the most telling moments of a recording, some again where it has fewer."""
    return embeddings[np.resize(np.argsort(-scores, kind="stable")[:MOMENTS], MOMENTS)]


def _whitening(embeddings: Floats) -> tuple[Floats, Floats]:
    """Return mean and basis of a space in which these embeddings lie evenly around."""
    mean = embeddings.mean(axis=0)
    spread = np.cov(embeddings.T)
    spread = (1 - _SHRINKAGE) * spread + _SHRINKAGE * np.trace(spread) / len(spread) * np.eye(len(spread))
    values, vectors = np.linalg.eigh(spread)
    basis = vectors / np.sqrt(values)
    return mean.astype(np.float32), basis.astype(np.float32)


def one_of_each(clips: Sequence[Clip], name: SoundClass) -> list[Clip]:
    """Return the first clip of each recording of a class."""
    own = [clip for clip in clips if clip.sound_class is name and not clip.unsure]
    return list({clip.origin: clip for clip in reversed(own)}.values())


def _everyday(classifier: Classifier, library: Library, clips: Sequence[Clip]) -> Floats:
    frontend = classifier.card.frontend
    length = frontend.samples_in(classifier.card.window_frames)
    embeddings = []
    for clip in track(clips, "everyday sounds for the reference set"):
        samples = library.recordings[clip.path]
        for first in range(0, max(1, len(samples) - length), _EVERY):
            window = quiet(length)
            piece = samples[first : first + length]
            window[: len(piece)] += piece
            embeddings.append(classifier.step(log_mel(window, frontend)).embedding)
    return np.stack(embeddings)


def _true(classifier: Classifier, library: Library, clips: Sequence[Clip], name: SoundClass) -> list[Floats]:
    """Return the most telling moments of each recording that the network hears at all."""
    place = CLASSES.index(name)
    found = []
    for clip in track(clips, f"{name} for the reference set"):
        heard = _heard(classifier, library.recordings[clip.path][:_LONGEST])
        scores = np.array([one.probabilities[place] for one in heard])
        if scores.max() >= HEARD:
            found.append(telling(np.stack([one.embedding for one in heard]), scores))
    return found


def _smoke(classifier: Classifier) -> Floats:
    """Return what smoke and carbon monoxide alarms are to the network, wherever it suspects an alarm."""
    place = CLASSES.index(SoundClass.ALARM)
    moments = []
    for number in track(range(_ALARMS), "smoke and CO alarms for the reference set"):
        samples, _ = smoke_or_co_alarm(np.random.default_rng(number), _ALARM_S)
        loud = (0.3 * samples / np.abs(samples).max()).astype(np.float32)
        moments += [one.embedding for one in _heard(classifier, loud) if one.probabilities[place] >= HEARD]
    return np.stack(moments)


def _heard(classifier: Classifier, samples: Samples) -> list[Heard]:
    return [classifier.step(window) for window in windows_of(samples)[::_STRIDE]]
