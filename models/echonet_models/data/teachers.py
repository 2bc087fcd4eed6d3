"""The teachers: what YAMNet and mn04 make of every stretch of sound, as AudioSet logits to distil from.

Both are read from files outside the project (`ECHONET_TEACHERS`). Each listens to stretches of 1.6 s or 4.8 s, as the
network that learns from them will: mn04 (zero-padded to the 10 s that it knows) says what, YAMNet's windows of 0.975 s
say what as well and hear short sounds better. The mean of their logits tells more than either.
"""

from collections import defaultdict
from collections.abc import Sequence
import csv
from dataclasses import dataclass
import functools
import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
import scipy.fft
import soxr

from echonet_satellite.protocol import SoundClass

from ..errors import ModelsError
from ..network.litert import Runner, to_tflite
from .kept import Rows, hear
from .manifest import CLASSES, UNLABELLED, Clip
from .recordings import SAMPLE_RATE, Recordings, Samples

YAMNET_FILE = "yamnet_classification_1.tflite"
MN04_FILE = "mn04_as_mAP_432.pt"
CLASS_MAP_FILE = "class_map_audioset_to_ours.csv"
AUDIOSET_CLASSES = 527

STRETCH = round(1.6 * SAMPLE_RATE)
# What a second look sees.
LONG_STRETCH = 3 * STRETCH
YAMNET_WINDOW = 15600
LOWEST_LOGIT = -8.0

_OWN_RATE = 32000
MN04_FRAMES = 1000
_FFT, _FRAME, _FRAME_HOP = 1024, 800, 320
MN04_BANDS, _HIGHEST_HZ = 128, 15000
_PREEMPHASIS = 0.97
_FLOOR, _SHIFT, _SCALE = 1e-5, 4.5, 5.0


def teachers_directory(path: Path | None = None) -> Path:
    """Return the folder of teachers: the argument, else `ECHONET_TEACHERS`, else `../shared/teachers`.

    Raises:
        ModelsError: they are not in it.
    """
    chosen = path or Path(os.environ.get("ECHONET_TEACHERS", "../shared/teachers"))
    for name in (YAMNET_FILE, MN04_FILE, CLASS_MAP_FILE):
        if not (chosen / name).is_file():
            raise ModelsError(f"no {name} in {chosen}: set ECHONET_TEACHERS to the folder that holds it")
    return chosen.resolve()


@dataclass(frozen=True, slots=True)
class ClassMap:
    """Which AudioSet classes (of mn04's 527) mean which of ours, surely (`core`) or perhaps (`weak`).

    `yamnet` says for each of the 527 which of YAMNet's 521 outputs it is, -1 where none is.
    """

    core: dict[SoundClass, list[int]]
    weak: dict[SoundClass, list[int]]
    yamnet: NDArray[np.int64]

    @property
    def meanings(self) -> list[list[int]]:
        """The AudioSet classes that surely mean each of ours, in the order of ours."""
        return [self.core[name] for name in CLASSES]

    @property
    def ours(self) -> list[int]:
        """The AudioSet classes that are, or are like, one of ours."""
        return sorted({index for group in (self.core, self.weak) for own in group.values() for index in own})


def read_class_map(directory: Path) -> ClassMap:
    """Return the map of AudioSet's classes to ours."""
    core: dict[SoundClass, list[int]] = defaultdict(list)
    weak: dict[SoundClass, list[int]] = defaultdict(list)
    yamnet = np.full(AUDIOSET_CLASSES, -1, np.int64)
    with (directory / CLASS_MAP_FILE).open(newline="", encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            index = int(row["audioset_index_527"])
            if row["yamnet_index_521"]:
                yamnet[index] = int(row["yamnet_index_521"])
            if row["our_class"] in CLASSES:
                (core if row["role"] == "core" else weak)[SoundClass(row["our_class"])].append(index)
    return ClassMap(core, weak, yamnet)


class Yamnet:
    """YAMNet on windows of 0.975 s."""

    def __init__(self, directory: Path) -> None:
        self._network = Runner((directory / YAMNET_FILE).read_bytes())

    def scores(self, samples: Samples, hop: int) -> NDArray[np.float32]:
        """Return the scores of each window, [windows, 521]; a short clip is padded to one window."""
        padded = np.pad(samples, (0, max(0, YAMNET_WINDOW - len(samples))))
        starts = range(0, len(padded) - YAMNET_WINDOW + 1, hop)
        return np.stack([self._network(padded[start : start + YAMNET_WINDOW])[0] for start in starts])


class Mn04:
    """mn04 on sounds of at most 10 s, zero-padded to 10 s."""

    def __init__(self, directory: Path, threads: int = 1) -> None:
        # TensorFlow loads for seconds; `--help` does not wait for it.
        import keras  # noqa: PLC0415

        from ..network.checkpoints import read_state  # noqa: PLC0415
        from ..network.mobilenet import build_backbone, load_state  # noqa: PLC0415

        state = read_state(directory / MN04_FILE)
        log_mel = keras.Input((MN04_BANDS, MN04_FRAMES, 1), batch_size=1)
        network = keras.Model(log_mel, build_backbone(log_mel, state)[1])
        load_state(network, state)
        self._network = Runner(to_tflite(network), threads)

    def logits(self, samples: Samples) -> NDArray[np.float32]:
        """Return the logits [527] of at most 10 s at 16 kHz."""
        return self._network(mn04_spectrogram(samples)[None, :, :, None])[0]


def mn04_mel_bank() -> NDArray[np.float32]:
    """Return Kaldi's triangles, even in mel = 1127 ln(1 + f / 700) and of height one, [513, 128].

    As in Kaldi the bin at half the sampling rate belongs to none.
    """
    mel = 1127 * np.log1p(np.arange(_FFT // 2 + 1) * _OWN_RATE / _FFT / 700)
    bank = triangles(mel, np.linspace(0, 1127 * np.log1p(_HIGHEST_HZ / 700), MN04_BANDS + 2)).T
    bank[-1] = 0
    return bank.astype(np.float32)


def triangles(places: NDArray[Any], corners: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return a bank of triangles of height one, each between a corner and the next but one, [bands, places]."""
    lower, centre, upper = corners[:-2, None], corners[1:-1, None], corners[2:, None]
    return np.asarray(
        np.maximum(0, np.minimum((places - lower) / (centre - lower), (upper - places) / (upper - centre)))
    )


_MEL_BANK = mn04_mel_bank()
_TAPER = np.pad(np.hanning(_FRAME), (_FFT - _FRAME) // 2).astype(np.float32)


def mn04_spectrogram(samples: Samples) -> NDArray[np.float32]:
    """Return what mn04 sees of at most 10 s at 16 kHz, zero-padded to 10 s: [128 bands, 1000 frames]."""
    resampled = soxr.resample(samples, SAMPLE_RATE, _OWN_RATE)[: MN04_FRAMES * _FRAME_HOP]
    # Silence looks the same wherever it is: only what sounds is transformed.
    used = min(MN04_FRAMES, len(resampled) // _FRAME_HOP + 3)
    padded = np.pad(resampled, (0, max(0, used * _FRAME_HOP - len(resampled))))
    emphasised = np.pad(padded[1:] - np.float32(_PREEMPHASIS) * padded[:-1], _FFT // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(emphasised, _FFT)[::_FRAME_HOP] * _TAPER
    spectrum = scipy.fft.rfft(frames)
    power = np.square(spectrum.real) + np.square(spectrum.imag)
    seen = np.full((MN04_FRAMES, MN04_BANDS), (np.log(np.float32(_FLOOR)) + _SHIFT) / _SCALE, np.float32)
    seen[: len(power)] = (np.log(power @ _MEL_BANK + np.float32(_FLOOR)) + np.float32(_SHIFT)) / np.float32(
        _SCALE
    )
    return seen.T


@dataclass(frozen=True, slots=True)
class Lesson:
    """What the teachers hear in a clip.

    Attributes:
        starts: of its stretches, in samples, [n].
        logits: the teachers' joint ones, [n, 527].
        stretch: how long each is, in samples.
    """

    starts: NDArray[np.int64]
    logits: NDArray[np.float32]
    stretch: int = STRETCH


def stretches(clip: Clip, length: int, stretch: int = STRETCH) -> range:
    """Return where the stretches of a clip begin: half overlapping where clips are few, side by side else."""
    hop = stretch if clip.label in (UNLABELLED, "background") else stretch // 2
    return range(0, max(1, length - stretch // 2), hop)


def ask_teachers(
    directory: Path, recordings: Recordings, clips: Sequence[Clip], cache: Path, stretch: int = STRETCH
) -> dict[str, Lesson]:
    """Return what the teachers hear in each clip, by its path; what was asked before comes from `cache`."""
    kept, doing = "teachers", "asking the teachers"
    if stretch != STRETCH:
        kept, doing = (
            f"teachers-{stretch}",
            f"asking the teachers about stretches of {stretch / SAMPLE_RATE} s",
        )
    load = functools.cache(lambda: (Yamnet(directory), Mn04(directory), read_class_map(directory)))
    by_path = {clip.path: clip for clip in clips}

    def listen(path: str) -> Rows:
        lesson = _listen(
            recordings[path], stretches(by_path[path], recordings.length(path), stretch), stretch, *load()
        )
        return {"starts": lesson.starts, "logits": lesson.logits.astype(np.float16)}

    heard = hear(cache / kept, list(by_path), listen, doing)
    return {
        path: Lesson(own["starts"], own["logits"].astype(np.float32), stretch) for path, own in heard.items()
    }


def _listen(
    samples: Samples, starts: range, stretch: int, yamnet: Yamnet, mn04: Mn04, class_map: ClassMap
) -> Lesson:
    logits = np.stack(
        [joint_logits(samples[start : start + stretch], yamnet, mn04, class_map) for start in starts]
    )
    return Lesson(np.asarray(starts), logits, stretch)


def joint_logits(samples: Samples, yamnet: Yamnet, mn04: Mn04, class_map: ClassMap) -> NDArray[np.float32]:
    """Return the mean of both teachers' logits for a stretch, [527]; where YAMNet lacks a class, mn04's."""
    own = np.maximum(mn04.logits(samples), LOWEST_LOGIT)
    # Three windows reach over a stretch of 1.6 s.
    scores = yamnet.scores(samples, (STRETCH - YAMNET_WINDOW) // 2).max(axis=0)
    # Its scores are multiples of 1/32 and 1/256; nothing it says means more than "surely not".
    score = np.clip(scores, 1e-3, 1 - 1e-3)
    other = np.log(score / (1 - score))
    joint = np.where(class_map.yamnet >= 0, (own + other[class_map.yamnet]) / 2, own)
    return joint.astype(np.float32)
