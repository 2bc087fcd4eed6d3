"""The images that networks see: log-mel patches of 96 x 64, and those of YAMNet."""

from dataclasses import dataclass
from functools import cache

import librosa
import numpy as np
import scipy.fft
import tensorflow as tf

from ...data.recordings import SAMPLE_RATE
from ..windows import Floats, Remembered

FRAMES = 96
YAMNET_OFFSET = 0.001
# About -70 dB below a tone of full scale: digital silence and a quiet room look alike.
_FLOOR = 1e-5


@dataclass(frozen=True, slots=True, kw_only=True)
class Mel:
    """How a spectrogram is made; lengths in samples, frequencies in Hz."""

    fft: int
    frame: int
    hop: int
    bands: int
    low: float
    high: float

    def reach(self, frames: int) -> int:
        """Return how many samples so many frames take."""
        return (frames - 1) * self.hop + self.fft


PATCH = Mel(fft=512, frame=400, hop=160, bands=64, low=125.0, high=7500.0)
"""25 ms windows every 10 ms, 64 mels: paper B, after VGGish (Hershey et al., 2017)."""


def images(samples: Floats, mel: Mel, frames: int) -> Floats:
    """Return log-mel images [N, frames, bands] of sounds [N, samples], mirrored at their ends as far as needed."""
    missing = max(0, mel.reach(frames) - samples.shape[1])
    before = missing // 2
    padded = np.pad(samples, ((0, 0), (before, missing - before)), mode="reflect")
    power = librosa.feature.melspectrogram(
        y=padded,
        sr=SAMPLE_RATE,
        n_fft=mel.fft,
        hop_length=mel.hop,
        win_length=mel.frame,
        window=np.hanning(mel.frame),
        center=False,
        n_mels=mel.bands,
        fmin=mel.low,
        fmax=mel.high,
        norm=None,
    )
    return np.log(power[..., :frames].swapaxes(1, 2) + np.float32(_FLOOR))


def _yamnet_patches(samples: Floats) -> Floats:
    padded = np.pad(samples, ((0, 0), (0, PATCH.reach(FRAMES) - samples.shape[1])))
    # TensorFlow puts the analysis window at the start of the transform's 512 samples, and not in the middle.
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(PATCH.frame) / PATCH.frame)
    taper = np.pad(hann, (0, PATCH.fft - PATCH.frame)).astype(np.float32)
    cut = np.lib.stride_tricks.sliding_window_view(padded, PATCH.fft, axis=1)[:, :: PATCH.hop]
    return np.asarray(np.log(np.abs(scipy.fft.rfft(cut * taper)) @ _htk_bank() + np.float32(YAMNET_OFFSET)))


@cache
def _htk_bank() -> Floats:
    return np.asarray(
        tf.signal.linear_to_mel_weight_matrix(
            PATCH.bands, PATCH.fft // 2 + 1, SAMPLE_RATE, PATCH.low, PATCH.high
        ).numpy()
    )


@dataclass(frozen=True, slots=True)
class Scaling:
    """Mean and deviation of each band over what was learned from, [bands]."""

    mean: Floats
    deviation: Floats

    @classmethod
    def of(cls, patches: Floats) -> "Scaling":
        """Return the scaling of patches [..., bands]."""
        axes = tuple(range(patches.ndim - 1))
        return cls(patches.mean(axis=axes), patches.std(axis=axes) + np.float32(1e-3))

    def apply(self, patches: Floats) -> Floats:
        """Return the patches at mean 0 and deviation 1, with a channel: [..., bands, 1]."""
        return ((patches - self.mean) / self.deviation)[..., None].astype(np.float32)

    def size_bytes(self) -> int:
        """Return its size as stored."""
        return self.mean.nbytes + self.deviation.nbytes


log_mel_patches = Remembered(lambda samples: images(samples, PATCH, FRAMES))
"""Patches [N, 96, 64]; frames lie in the middle of their 10 ms."""

yamnet_patches = Remembered(_yamnet_patches)
"""Patches [N, 96, 64] as YAMNet's front end makes them: HTK mels of the magnitude, `log(x + 0.001)`."""
