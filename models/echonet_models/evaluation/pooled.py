"""What networks say of recordings that they never heard: each clip asked of the fold that left its source out.

What is kept of every 160 ms: the logits of our eight classes, AudioSet's of speech, and the second look's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from echonet_satellite import presence
from echonet_satellite.frontend import FrontendParameters, log_mel
from echonet_satellite.protocol import SoundClass
from echonet_satellite.second_look import UNLIKELY_LOGIT

from ..data.manifest import CLASSES, Clip
from ..data.recordings import SAMPLE_RATE, Recordings, Samples
from ..errors import ModelsError
from ..network.ears import SECOND_LOOK_FRAMES, WINDOW_FRAMES
from ..network.litert import Runner, to_tflite
from ..progress import track

STEP_FRAMES = 16
STEP_S = 0.16
STEP_SAMPLES = 2560
# What ends with a clip is heard only after the network has seen a little beyond it.
PADDING_S = 0.5
# Of each step is kept: the logits of our classes, what AudioSet calls speech, its first class, and the logits of our
# classes after a second look.
SPEECH = len(CLASSES)
SECOND = slice(SPEECH + 1, SPEECH + 1 + len(CLASSES))
COLUMNS = SECOND.stop
# A second look is taken where the first network gives any of these such a logit: where it gives less, looks were worth
# nothing at the stated prices. It has so much of a say in each; with fires it made more mistakes than without. Chosen
# on pooled predictions among logits of -1 to 2, and shares of .1 to .6, each class by itself or all alike.
LOOKED_AT = (
    SoundClass.GUNSHOT,
    SoundClass.GLASS_BREAK,
    SoundClass.BABY_CRY,
    SoundClass.ALARM,
    SoundClass.SCREAM,
)
LIKELY_LOGIT = 0.0
SHARES = np.array([0.4 if name in LOOKED_AT else 0.0 for name in CLASSES], np.float32)
UNASKED = -30.0
_QUIET = 3e-4

Logits = NDArray[np.float32]


def quiet(samples: int) -> Samples:
    """Return the sound of a room in which nothing sounds, which every stream is thought to begin with."""
    return np.random.default_rng(0).normal(0, _QUIET, samples).astype(np.float32)


def windows_of(samples: Samples, length: int = WINDOW_FRAMES) -> NDArray[np.float32]:
    """Return the windows of so many frames that a network looks at while it hears a clip, [steps, length, 104]."""
    steps = -(-(len(samples) + round(PADDING_S * SAMPLE_RATE)) // STEP_SAMPLES)
    before = (WINDOW_FRAMES - STEP_FRAMES) * 160
    heard = quiet(before + steps * STEP_SAMPLES + 352)
    heard[before : before + len(samples)] += samples
    frames = log_mel(heard, FrontendParameters())
    if length > WINDOW_FRAMES:
        # As a satellite does, which begins with one quiet window again and again.
        calm = log_mel(quiet(FrontendParameters().samples_in(WINDOW_FRAMES)), FrontendParameters())
        longer = length - WINDOW_FRAMES
        frames = np.concatenate((np.tile(calm, (-(-longer // len(calm)), 1))[-longer:], frames))
    view = np.lib.stride_tricks.sliding_window_view(frames, length, axis=0)
    return np.swapaxes(view[::STEP_FRAMES][:steps], 1, 2)


class Listener:
    """Two networks that are asked about whole clips, in the form that satellites run: much faster than in training."""

    def __init__(self, first: keras.Model, second: keras.Model) -> None:
        """Take the networks, see `network.ears`: the one that listens, and the one that takes a second look."""
        self._first, self._second = _runner(first), _runner(second)

    def hear(self, samples: Samples) -> Logits:
        """Return what is kept of each step, [steps, COLUMNS]."""
        return self.listen(samples)[0]

    def listen(self, samples: Samples) -> tuple[Logits, NDArray[np.float32]]:
        """Return what is kept of each step, and the embedding, [steps, 384]."""
        windows = windows_of(samples)
        logits = np.full((len(windows), COLUMNS), UNASKED, np.float32)
        embeddings = []
        longer: NDArray[np.float32] | None = None
        for number, window in enumerate(windows):
            logits[number, :SPEECH], embedding, audioset = self._first(window[None])
            logits[number, SPEECH] = audioset[presence.SPEECH]
            embeddings.append(embedding)
            if (logits[number, :SPEECH] >= LIKELY_LOGIT)[SHARES > 0].any():
                longer = windows_of(samples, SECOND_LOOK_FRAMES) if longer is None else longer
                logits[number, SECOND] = self._second(longer[number][None])[0]
        return logits, np.stack(embeddings)


def _runner(model: keras.Model) -> Runner:
    """Return a network that gives logits, embedding and AudioSet's logits, in the order of their sizes."""
    window = keras.Input(model.input_shape[1:], batch_size=1)
    return Runner(to_tflite(keras.Model(window, model(window))))


def blended(logits: Logits) -> Logits:
    """Return the logits of our classes with the second look's share in them, [steps, 8]."""
    own = logits[:, :SPEECH]
    # Of its peers nothing else is kept.
    if logits.shape[1] < COLUMNS:
        return own
    return np.asarray(own + SHARES * (np.maximum(logits[:, SECOND], UNLIKELY_LOGIT) - own), np.float32)


@dataclass(frozen=True, slots=True)
class Pooled:
    """Logits of every clip, by its path: [steps, COLUMNS]."""

    logits: Mapping[str, Logits]

    def store(self, path: Path) -> None:
        """Write them."""
        unfinished = path.with_suffix(".unfinished")
        with unfinished.open("wb") as stream:
            np.savez(
                stream,
                paths=np.array(list(self.logits)),
                steps=np.array([len(rows) for rows in self.logits.values()]),
                logits=np.concatenate(list(self.logits.values())).astype(np.float16),
            )
        unfinished.replace(path)


def read_pooled(path: Path) -> Pooled:
    """Return stored logits.

    Raises:
        ModelsError: there are none.
    """
    try:
        with np.load(path) as stored:
            paths, steps, logits = stored["paths"], stored["steps"], stored["logits"].astype(np.float32)
    except OSError as error:
        raise ModelsError(f"cannot read {path}: {error}; run `echonet-models train` first") from None
    ends = np.cumsum(steps)
    return Pooled(
        {str(name): logits[end - count : end] for name, count, end in zip(paths, steps, ends, strict=True)}
    )


def hear_all(
    listener: Listener, recordings: Recordings, clips: Sequence[Clip], doing: str
) -> dict[str, Logits]:
    """Return what a network hears in every clip, by its path."""
    return {clip.path: listener.hear(recordings[clip.path]) for clip in track(clips, doing)}
