"""What networks say of recordings that they never heard: each clip asked of the fold that left its source out.

What is kept of every 160 ms: the logits of our eight classes, and AudioSet's of speech.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ai_edge_litert.interpreter import Interpreter
import keras
import numpy as np
from numpy.typing import NDArray

from echonet_satellite import presence
from echonet_satellite.frontend import FrontendParameters, log_mel

from ..data.manifest import CLASSES, Clip
from ..data.recordings import SAMPLE_RATE, Recordings, Samples
from ..errors import ModelsError
from ..network.ears import BANDS, WINDOW_FRAMES
from ..network.litert import to_tflite
from ..network.mobilenet import AUDIOSET_CLASSES
from ..progress import track

STEP_FRAMES = 16
STEP_S = 0.16
STEP_SAMPLES = 2560
# What ends with a clip is heard only after the network has seen a little beyond it.
PADDING_S = 0.5
# Of each step is kept: the logits of our classes, and what AudioSet calls speech, its first class.
SPEECH = len(CLASSES)
COLUMNS = SPEECH + 1
_QUIET = 3e-4

Logits = NDArray[np.float32]


def quiet(samples: int) -> Samples:
    """Return the sound of a room in which nothing sounds, which every stream is thought to begin with."""
    return np.random.default_rng(0).normal(0, _QUIET, samples).astype(np.float32)


def windows_of(samples: Samples) -> NDArray[np.float32]:
    """Return the windows that the network looks at while it hears a clip, one a step, [steps, 160, 104]."""
    steps = -(-(len(samples) + round(PADDING_S * SAMPLE_RATE)) // STEP_SAMPLES)
    before = (WINDOW_FRAMES - STEP_FRAMES) * 160
    heard = quiet(before + steps * STEP_SAMPLES + 352)
    heard[before : before + len(samples)] += samples
    frames = log_mel(heard, FrontendParameters())
    view = np.lib.stride_tricks.sliding_window_view(frames, WINDOW_FRAMES, axis=0)
    return np.swapaxes(view[::STEP_FRAMES][:steps], 1, 2)


class Listener:
    """A network that is asked about whole clips, in the form that satellites run: five times as fast as in training."""

    def __init__(self, model: keras.Model) -> None:
        """Take the network, see `network.ears`."""
        window = keras.Input((WINDOW_FRAMES, BANDS), batch_size=1)
        self._interpreter = Interpreter(
            model_content=to_tflite(keras.Model(window, model(window)[:2])), num_threads=1
        )
        self._interpreter.allocate_tensors()
        self._input = self._interpreter.get_input_details()[0]["index"]
        outputs = {detail["shape"][-1]: detail["index"] for detail in self._interpreter.get_output_details()}
        self._own, self._audioset = outputs[len(CLASSES)], outputs[AUDIOSET_CLASSES]

    def hear(self, samples: Samples) -> Logits:
        """Return what is kept of each step, [steps, COLUMNS]."""
        windows = windows_of(samples)
        logits = np.empty((len(windows), COLUMNS), np.float32)
        for row, window in zip(logits, windows, strict=True):
            self._interpreter.set_tensor(self._input, window[None])
            self._interpreter.invoke()
            row[:SPEECH] = self._interpreter.get_tensor(self._own)[0]
            row[SPEECH] = self._interpreter.get_tensor(self._audioset)[0, presence.SPEECH]
        return logits


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
