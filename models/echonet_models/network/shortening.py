"""Fits mn04 to short windows before any training, so that it needs to learn little and forgets little.

mn04 learned stretches of 10 s in 128 bands, of which a window of 1.6 s is an eighth. What it averages over a stretch
(before the embedding, and where it weighs its channels) it would average over a window in which no silence is. Each
such mean is led back to what it is where the window lies in ten seconds of silence, one layer after the other, channel
by channel, by the line that fits best; and that is multiplied into the layer that takes the mean.
"""

from collections.abc import Sequence

import keras
import numpy as np
from numpy.typing import NDArray

from echonet_satellite.frontend import FrontendParameters, log_mel

from ..data.recordings import Samples
from ..data.teachers import MN04_BANDS, MN04_FRAMES, mn04_spectrogram
from ..progress import track
from .checkpoints import State
from .mobilenet import build_backbone, load_state, means

_BATCH = 32
_TINY = 1e-8
# A channel that hardly varies says nothing of its slope.
_SLOPES = (-0.2, 1.5)


def shorten(network: keras.Model, state: State, sounds: Sequence[Samples]) -> None:
    """Fit a network with the weights of mn04 to its own windows, in place.

    Args:
        network: takes log-mel windows [n, frames, bands].
        state: the weights of mn04.
        sounds: at least a few hundred of a window's length, of any kind.
    """
    windows = np.stack([window_of(sound, network.input_shape[1]) for sound in sounds])
    ask = keras.Model(network.input, [mean.output for mean, _ in means(network)])
    for number, (wanted, (_, taker)) in enumerate(zip(_wanted(state, sounds), means(network), strict=True)):
        # Asked anew for each: what a layer takes depends on those before it.
        found = ask.predict(windows, batch_size=_BATCH, verbose=0)[number].reshape(wanted.shape)
        middle, goal = found.mean(axis=0), wanted.mean(axis=0)
        slope = ((found - middle) * (wanted - goal)).mean(axis=0) / (found.var(axis=0) + _TINY)
        slope = np.clip(slope, *_SLOPES)
        kernel, bias = taker.get_weights()
        taker.set_weights([slope[:, None] * kernel, bias + (goal - slope * middle) @ kernel])


def _wanted(state: State, sounds: Sequence[Samples]) -> list[NDArray[np.float32]]:
    """Return what mn04 averages of each sound in ten seconds of silence: for each mean [sounds, channels]."""
    log_mel = keras.Input((MN04_BANDS, MN04_FRAMES, 1))
    network = keras.Model(log_mel, build_backbone(log_mel, state)[1])
    load_state(network, state)
    ask = keras.Model(log_mel, [mean.output for mean, _ in means(network)])
    found = []
    for first in track(range(0, len(sounds), _BATCH), "fitting mn04 to short windows"):
        spectrograms = np.stack([mn04_spectrogram(sound) for sound in sounds[first : first + _BATCH]])
        found.append([mean.reshape(len(mean), -1) for mean in ask.predict_on_batch(spectrograms[..., None])])
    return [np.concatenate(parts) for parts in zip(*found, strict=True)]


def window_of(sound: Samples, frames: int) -> NDArray[np.float32]:
    """Return a sound as the network sees it, [frames, bands]."""
    parameters = FrontendParameters()
    return log_mel(np.pad(sound, (0, parameters.samples_in(frames) - len(sound))), parameters)
