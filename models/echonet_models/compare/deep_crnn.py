"""The convolutional recurrent network for rare events (paper D): short chunks, LSTM layers that run backwards."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import keras
from keras import ops
import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from echonet_satellite.frontend import FrontendParameters
from echonet_satellite.protocol import SoundClass

from ..activity import IGNORE, STEP, WINDOW_STEPS, Labels, label_clip
from ..datasets import CLASSES, Split
from ..losses import masked_loss, positive_weights
from ..material import Material
from .approach import Factory, Progress, Scores
from .deep_network import rows_to_one
from .deep_patches import Scaling, images
from .deep_rare_events import error_table
from .deep_sliding import RULES, SPANS, chunks, ensemble, overlap_mean
from .deep_training import LEARNING_RATE, Effort, callbacks, parameter_bytes, scores, seeded
from .shared import part_of, untrained
from .windows import LABELS, OTHER_LABEL, Windows

FRAME = FrontendParameters(n_fft=1024, win_length=736, hop_length=368, n_mels=128, fmin=50.0, fmax=8000.0)
"""46 ms, half overlap, 128 mels."""
UNITS = 128
DROPOUT = 0.3
DECAY = 0.01
LONGEST_UNROLLED = 5
BLOCK, PREDICT_BATCH = 64, 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Diet:
    """What the networks learn from, and for how long.

    Attributes:
        effort: for windows of clips.
        mixtures: of 10 s, made of the same recordings; the mixtures are what teaches to hear through a background.
        tune_mixtures: likewise, to stop by.
        with_event: mixtures of 30 s per class and ratio to be measured on, and as many without an event.
        spans: lengths of the chunks that a network is trained for.
    """

    effort: Effort
    mixtures: int
    tune_mixtures: int
    with_event: int
    spans: tuple[int, ...] = SPANS


FULL = Diet(
    effort=Effort(per_class=100, epochs=8, patience=3, batch=32),
    mixtures=120,
    tune_mixtures=40,
    with_event=8,
)
QUICK = Diet(
    effort=Effort(per_class=30, epochs=6, patience=6, batch=16),
    mixtures=8,
    tune_mixtures=4,
    with_event=1,
    spans=(5,),
)


@dataclass(frozen=True, slots=True)
class Sound:
    """Log-mel frames [n, mels] and their labels [n, 8]."""

    frames: Scores
    labels: Labels


class Crnn:
    """One network per length of chunk; each class is decided by the mean of those that suit it."""

    name, paper = "crnn", "D"
    purpose = "rare events and when they begin, over a background"

    def __init__(self, material: Material) -> None:
        """Know where the labels of steps come from."""
        self._material = material
        self._networks: dict[int, keras.Model] = {}
        self._scaling: Scaling | None = None

    def fit(self, train: Windows, tune: Windows, *, seed: int, quick: bool, progress: Progress) -> None:
        """Train the networks on the frames of windows and of mixtures, each until the tune split gets no better."""
        diet = QUICK if quick else FULL
        learn = self._sounds(train, Split.TRAIN, diet, diet.mixtures, seed)
        judge = self._sounds(tune, Split.TUNE, diet, diet.tune_mixtures, seed + 1)
        self._networks = {}
        self._scaling = Scaling.of(np.concatenate([sound.frames for sound in learn])[None])
        progress(0.05)
        for number, span in enumerate(diet.spans):
            first, last = (0.05 + 0.95 * place / len(diet.spans) for place in (number, number + 1))
            network = seeded(partial(build_crnn, span), seed)
            self._networks[span] = network
            inputs, labels = self._examples(learn, span)
            weights = np.array(positive_weights(labels), np.float32)
            rate = keras.optimizers.schedules.InverseTimeDecay(
                LEARNING_RATE, max(1, len(inputs) // diet.effort.batch), DECAY
            )
            network.compile(
                optimizer=keras.optimizers.Adam(rate, clipnorm=1.0),
                loss=masked_loss(weights),
                jit_compile=False,
            )
            network.fit(
                inputs,
                labels.astype(np.float32),
                validation_data=self._examples(judge, span),
                epochs=diet.effort.epochs,
                batch_size=diet.effort.batch * max(1, SPANS[-1] // span // 2),
                callbacks=callbacks(diet.effort, part_of(progress, first, last)),
                verbose=0,
            )

    def predict(self, windows: Windows) -> Scores:
        """Return each class's highest frame; what no class claims is everyday sound."""
        found = np.zeros((len(windows), len(LABELS)), np.float32)
        for first in range(0, len(windows), BLOCK):
            block = slice(first, first + BLOCK)
            curves = self.curves(windows.samples[block], CLASSES)
            peaks = np.stack([curves[name].max(axis=1) for name in CLASSES], axis=1)
            found[block, :OTHER_LABEL], found[block, OTHER_LABEL] = peaks, np.prod(1 - peaks, axis=1)
        return rows_to_one(found)

    def curves(self, sounds: Scores, classes: Sequence[SoundClass]) -> dict[SoundClass, Scores]:
        """Return the probability of some classes per frame of sounds of one length: [N, samples] -> each [N, frames].

        Chunks slide by one frame; what overlapping ones say is averaged, then what the networks of a class say.
        """
        if self._scaling is None:
            raise untrained(self.name)
        frames = self._scaling.apply(frames_of(sounds))
        predicted = {}
        for span in {span for name in classes for span in self._spans_of(name)}:
            pieces = [chunks(sound, span, 1) for sound in frames]
            logits = scores(self._networks[span], np.concatenate(pieces), PREDICT_BATCH)
            each = np.split(expit(logits), len(pieces))
            predicted[span] = np.stack([overlap_mean(own, frames.shape[1]) for own in each])
        return {
            name: ensemble(predicted, self._spans_of(name))[:, :, CLASSES.index(name)] for name in classes
        }

    def extra(self, material: Material, *, seed: int, quick: bool, progress: Progress) -> dict[str, Any]:
        """Return the event error rate on mixtures of 30 s of the validation split, as in DCASE 2017 task 2."""
        count = (QUICK if quick else FULL).with_event
        return error_table(material, self._curves_of_one, count, seed=seed, progress=progress)

    def size_bytes(self) -> int:
        """Return the size of all networks."""
        scaling = self._scaling.size_bytes() if self._scaling else 0
        return parameter_bytes(list(self._networks.values())) + scaling

    def _curves_of_one(self, sound: Scores, classes: Sequence[SoundClass]) -> dict[SoundClass, Scores]:
        return {name: curve[0] for name, curve in self.curves(sound[None], classes).items()}

    def _spans_of(self, name: SoundClass) -> tuple[int, ...]:
        """Return the chunks that decide a class; one that paper D does not name is decided by all."""
        wanted = RULES[name].spans if name in RULES else SPANS
        return tuple(span for span in wanted if span in self._networks) or tuple(self._networks)

    def _sounds(self, windows: Windows, split: Split, diet: Diet, mixtures: int, seed: int) -> list[Sound]:
        """Return frames and labels of windows of clips and of mixtures."""
        windows = diet.effort.limit(windows, seed)
        clips = {clip.path: clip for clip in self._material.of(split)}
        marks = {
            path: label_clip(clips[path], self._material.recordings[path], self._material.taught[path])
            for path in set(windows.clips)
        }
        found = []
        for place, frames in enumerate(frames_of(windows.samples)):
            steps = marks[windows.clips[place]][windows.starts[place] // STEP :][:WINDOW_STEPS]
            found.append(Sound(frames, per_frame(steps, len(frames))))
        maker, generator = self._material.maker(split), np.random.default_rng(seed)
        for _ in range(mixtures):
            mixture = maker.mix(generator)
            frames = frames_of(mixture.samples[None])[0]
            found.append(Sound(frames, per_frame(mixture.labels, len(frames))))
        return found

    def _examples(self, sounds: Sequence[Sound], span: int) -> tuple[Scores, NDArray[np.int8]]:
        """Return chunks side by side, [n, span, mels, 1], and their labels, [n, span, 8]."""
        assert self._scaling is not None
        inputs = [chunks(self._scaling.apply(sound.frames[None])[0], span, span) for sound in sounds]
        labels = [chunks(sound.labels, span, span, IGNORE) for sound in sounds]
        return np.concatenate(inputs), np.concatenate(labels)


def build_crnn(span: int) -> keras.Model:
    """Return a network from a chunk [span, mels, 1] to the logits of the classes per frame, [span, 8]."""
    inputs = keras.Input((span, FRAME.n_mels, 1))
    x = _convolution(inputs, 16, (3, 3), pool=4)
    x = _convolution(x, 32, (1, 3), pool=8)
    x = keras.layers.Reshape((span, -1))(x)
    # Unrolled, a short loop is several times as fast.
    loop = {"return_sequences": True, "unroll": span <= LONGEST_UNROLLED}
    # A layer that goes backwards gives its last frame first; the second takes them in that order.
    x = keras.layers.LSTM(UNITS, go_backwards=True, **loop)(x)
    x = keras.layers.Dropout(DROPOUT)(x)
    x = keras.layers.LSTM(UNITS, **loop)(x)
    x = keras.layers.Dropout(DROPOUT)(ops.flip(x, axis=1))
    x = keras.layers.Dense(UNITS, use_bias=False)(x)
    x = keras.layers.ReLU()(keras.layers.BatchNormalization(momentum=0.9)(x))
    return keras.Model(inputs, keras.layers.Dense(len(CLASSES))(x))


def frames_of(sounds: Scores) -> Scores:
    """Return log-mel frames of sounds of one length, [N, samples] -> [N, frames, mels]."""
    return images(sounds, FRAME, round(sounds.shape[1] / FRAME.hop_length))


def per_frame(labels: Labels, count: int) -> Labels:
    """Return labels per frame of 23 ms from those per step of 80 ms; past the end of a clip there is silence."""
    steps = ((np.arange(count) + 0.5) * FRAME.hop_length / STEP).astype(int)
    reached = np.zeros((max(len(labels), int(steps[-1]) + 1), labels.shape[1]), np.int8)
    reached[: len(labels)] = labels
    framed: Labels = reached[steps]
    return framed


def _convolution(
    x: keras.KerasTensor, channels: int, kernel: tuple[int, int], *, pool: int
) -> keras.KerasTensor:
    """Return a convolution with pooling in frequency alone, so that no frame is lost."""
    x = keras.layers.Conv2D(channels, kernel, padding="same", use_bias=False)(x)
    x = keras.layers.ReLU()(keras.layers.BatchNormalization(momentum=0.9)(x))
    x = keras.layers.MaxPooling2D((1, pool))(x)
    return keras.layers.Dropout(DROPOUT)(x)


APPROACHES: tuple[Factory, ...] = (Crnn,)
