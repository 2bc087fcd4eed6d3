"""Features of windows for the classical approaches: the 17 of paper E, MFCC, and the linear prediction of paper A.

The papers name them and leave most settings open: frames are those of paper A's spectrogram (46 ms, half overlap), the
rest is librosa's usual. Windows are scaled to a peak of one first, as in paper C, for the level of a recording says who
recorded it and not what sounds.
"""

import librosa
import numpy as np
import scipy.fft

from ...data.recordings import SAMPLE_RATE
from ...data.teachers import triangles
from ..windows import Floats, Remembered

FFT, FRAME, HOP = 1024, 736, 368
ACTIVE_DB = 20.0
MFCC, SHORT_MFCC, MELS, COARSE = 20, 13, 64, 4
ORDER, LINEAR_BANDS = 12, 24
LEVEL_COLUMN = -(ORDER + 1)
"""Of the frames of linear prediction: the first LFCC."""
PRE_EMPHASIS = 0.97
# Silence is digital in some recordings and noise in others; below this, about -80 dB, both are the same.
FLOOR = 1e-4

FEATURES = (
    *("duration", "peak amplitude", "zero-crossing rate", "MFCC", "MFCC differences", "chroma"),
    *("mel spectrogram", "spectral centroid", "spectral bandwidth", "spectral roll-off", "spectral flux"),
    *("spectral contrast", "spectral flatness", "spectral entropy", "onset strength", "RMS", "energy"),
)
"""The 17 of paper E, in the order of the columns.

All windows have one length and one sampling rate. So `duration` is the share of a window that is within 20 dB of its
loudest frame; the place of the sampling rate, which tells nothing here, is taken by the spectral entropy and that of
a second look at the amplitude by the onset strength. Peak amplitude is that over the level of the window.
"""


def lpc_to_cepstrum(lpc: Floats, count: int) -> Floats:
    """Return the cepstrum of the all-pole filter 1 / A(z), without its gain: [..., order + 1] -> [..., count].

    The recursion of B. Atal, JASA 55 (1974); `lpc[..., 0]` is 1.
    """
    order = lpc.shape[-1] - 1
    cepstrum = np.zeros((*lpc.shape[:-1], count + 1), lpc.dtype)
    for n in range(1, count + 1):
        if n <= order:
            cepstrum[..., n] = -lpc[..., n]
        for k in range(max(1, n - order), n):
            cepstrum[..., n] -= k / n * cepstrum[..., k] * lpc[..., n - k]
    return cepstrum[..., 1:]


def linear_filter_bank(bands: int, bins: int) -> Floats:
    """Return triangles evenly spaced in frequency, each overlapping half of its neighbours, [bands, bins]."""
    return triangles(np.arange(bins), np.linspace(0, bins - 1, bands + 2)).astype(np.float32)


def _scaled(samples: Floats) -> Floats:
    peak = np.abs(samples).max(axis=1, keepdims=True)
    return np.asarray(samples / np.maximum(peak, FLOOR))


def _spectra(samples: Floats) -> tuple[Floats, Floats]:
    """Return the magnitudes [n, bins, frames], and the mels in dB."""
    magnitude = np.abs(librosa.stft(samples, n_fft=FFT, hop_length=HOP, win_length=FRAME)) + FLOOR
    mels = librosa.feature.melspectrogram(S=magnitude**2, sr=SAMPLE_RATE, n_mels=MELS)
    return magnitude, librosa.power_to_db(mels)


def _clip_features(samples: Floats) -> Floats:
    samples = _scaled(samples)
    magnitude, mel_db = _spectra(samples)
    power = magnitude**2
    mfcc = librosa.feature.mfcc(S=mel_db, n_mfcc=MFCC)
    rms = librosa.feature.rms(S=magnitude, frame_length=FFT)
    rms_db = 20 * np.log10(rms)
    share = power / power.sum(axis=1, keepdims=True)
    rise = np.maximum(0, np.diff(mel_db, axis=2, prepend=mel_db[..., :1]))
    frames = [
        librosa.feature.zero_crossing_rate(samples, frame_length=FFT, hop_length=HOP),
        mfcc,
        librosa.feature.delta(mfcc),
        librosa.feature.chroma_stft(S=power, sr=SAMPLE_RATE, tuning=0),
        mel_db.reshape(len(mel_db), MELS // COARSE, COARSE, -1).mean(axis=2),
        librosa.feature.spectral_centroid(S=magnitude, sr=SAMPLE_RATE) / SAMPLE_RATE,
        librosa.feature.spectral_bandwidth(S=magnitude, sr=SAMPLE_RATE) / SAMPLE_RATE,
        librosa.feature.spectral_rolloff(S=magnitude, sr=SAMPLE_RATE) / SAMPLE_RATE,
        np.linalg.norm(np.diff(share, axis=2, prepend=share[..., :1]), axis=1, keepdims=True),
        librosa.feature.spectral_contrast(S=magnitude, sr=SAMPLE_RATE, fmin=100.0),
        np.log10(librosa.feature.spectral_flatness(S=magnitude)),
        -(share * np.log(share)).sum(axis=1, keepdims=True),
        rise.mean(axis=1, keepdims=True),
        rms_db,
        np.log10((rms**2).sum(axis=2, keepdims=True)),
    ]
    level = np.sqrt((samples**2).mean(axis=1, keepdims=True)) + FLOOR
    whole = [
        (rms_db >= rms_db.max(axis=2, keepdims=True) - ACTIVE_DB).mean(axis=2),
        np.log10(np.abs(samples).max(axis=1, keepdims=True) / level + FLOOR),
    ]
    # The energy is one number a window and has no deviation.
    means = [values.mean(axis=2) for values in frames]
    deviations = [values.std(axis=2) for values in frames[:-1]]
    return np.concatenate([*whole, *means, *deviations], axis=1)


def _mfcc_frames(samples: Floats) -> Floats:
    _, mel_db = _spectra(_scaled(samples))
    mfcc = librosa.feature.mfcc(S=mel_db, n_mfcc=SHORT_MFCC)
    return np.asarray(np.concatenate([mfcc, librosa.feature.delta(mfcc)], axis=1).swapaxes(1, 2))


def _linear_prediction(samples: Floats) -> Floats:
    samples = _scaled(samples)
    emphasised = samples[:, 1:] - PRE_EMPHASIS * samples[:, :-1]
    cut = librosa.util.frame(emphasised, frame_length=FRAME, hop_length=HOP).swapaxes(1, 2)
    # A frame of digital silence has no linear prediction; noise 80 dB down has, and is the same everywhere.
    noise = np.random.default_rng(0).normal(0, FLOOR, FRAME)
    # Single precision is too little for the recursion: filters of pure tones would become unstable.
    frames = ((cut + noise) * np.hanning(FRAME)).astype(np.float64)
    lpc = librosa.lpc(frames, order=ORDER, axis=-1)
    bands = np.abs(scipy.fft.rfft(frames, FFT)) ** 2 @ linear_filter_bank(LINEAR_BANDS, FFT // 2 + 1).T
    lfcc = scipy.fft.dct(np.log(bands + FLOOR**2), norm="ortho")[..., : ORDER + 1]
    crossings = np.diff(np.signbit(cut), axis=-1).mean(axis=-1, keepdims=True)
    return np.concatenate([crossings, lpc[..., 1:], lpc_to_cepstrum(lpc, ORDER), lfcc], axis=-1)


clip_features = Remembered(_clip_features)
"""Means and deviations over the window of the 17 features, [N, 15360] -> [N, columns]."""

mfcc_frames = Remembered(_mfcc_frames)
"""13 MFCC (the first is the level) and their differences over time, [N, 15360] -> [N, frames, 26]."""

linear_prediction_frames = Remembered(_linear_prediction)
"""Zero-crossing rate, 12 LPC, 12 LPCC, and 13 LFCC of which the first is the level: -> [N, frames, 38]."""
