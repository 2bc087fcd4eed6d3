"""The images that networks see: log-mel patches of 96 x 64, and those of YAMNet."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
import tensorflow as tf

from echonet_satellite.frontend import FrontendParameters, log_mel

from ..recordings import SAMPLE_RATE

Floats = NDArray[np.float32]

PATCH = FrontendParameters(n_fft=512, win_length=400, hop_length=160, n_mels=64, fmin=125.0, fmax=7500.0)
"""25 ms windows every 10 ms, 64 mels: paper B, after VGGish (Hershey et al., 2017)."""
FRAMES = 96
YAMNET_OFFSET = 0.001


def log_mel_patches(samples: Floats) -> Floats:
    """Return patches [N, 96, 64] of windows [N, 15360]; frames lie in the middle of their 10 ms."""
    return images(samples, PATCH, FRAMES)


def images(samples: Floats, parameters: FrontendParameters, frames: int) -> Floats:
    """Return log-mel images [N, frames, n_mels] of windows [N, samples], mirrored at their ends as far as needed."""
    missing = max(0, parameters.samples_in(frames) - samples.shape[1])
    before = missing // 2
    padded = np.pad(samples, ((0, 0), (before, missing - before)), mode="reflect")
    made = np.empty((len(samples), frames, parameters.n_mels), np.float32)
    for image, window in zip(made, padded, strict=True):
        image[:] = log_mel(window, parameters)[:frames]
    return made


def yamnet_patches(samples: Floats) -> Floats:
    """Return patches [N, 96, 64] as YAMNet's front end makes them: HTK mels of the magnitude, `log(x + 0.001)`."""
    bank = _htk_bank()
    missing = PATCH.samples_in(FRAMES) - samples.shape[1]
    padded = np.pad(samples, ((0, 0), (0, max(0, missing))))
    # TensorFlow puts the analysis window at the start of the transform's 512 samples, and not in the middle.
    window = np.zeros(PATCH.n_fft)
    window[: PATCH.win_length] = 0.5 - 0.5 * np.cos(
        2 * np.pi * np.arange(PATCH.win_length) / PATCH.win_length
    )
    made = np.empty((len(samples), FRAMES, PATCH.n_mels), np.float32)
    for image, row in zip(made, padded, strict=True):
        frames = np.lib.stride_tricks.sliding_window_view(row, PATCH.n_fft)[:: PATCH.hop_length][:FRAMES]
        image[:] = np.log(np.abs(np.fft.rfft(frames * window)) @ bank + YAMNET_OFFSET)
    return made


@dataclass(frozen=True, slots=True)
class Scaling:
    """Mean and deviation of each band over what was learned from.

    Attributes:
        mean: float32 [n_mels].
        deviation: float32 [n_mels].
    """

    mean: Floats
    deviation: Floats

    @classmethod
    def of(cls, patches: Floats) -> "Scaling":
        """Return the scaling of patches [N, frames, n_mels]."""
        return cls(patches.mean(axis=(0, 1)), patches.std(axis=(0, 1)) + np.float32(1e-3))

    def apply(self, patches: Floats) -> Floats:
        """Return the patches at mean 0 and deviation 1, with a channel: [N, frames, n_mels, 1]."""
        scaled: Floats = ((patches - self.mean) / self.deviation)[..., None].astype(np.float32)
        return scaled

    def size_bytes(self) -> int:
        """Return its size as stored."""
        return self.mean.nbytes + self.deviation.nbytes


@lru_cache(maxsize=1)
def _htk_bank() -> Floats:
    bank: Floats = tf.signal.linear_to_mel_weight_matrix(
        PATCH.n_mels, PATCH.n_fft // 2 + 1, SAMPLE_RATE, PATCH.fmin, PATCH.fmax
    ).numpy()
    return bank
