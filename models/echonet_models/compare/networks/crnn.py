"""The convolutional recurrent network for rare events (paper D): short chunks, LSTM layers that run backwards."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import keras
from keras import ops
import numpy as np
from scipy.special import expit

from echonet_satellite.protocol import SoundClass

from ...data.activity import HOP, UNSURE, Labels
from ...data.manifest import BACKGROUND, CLASSES, Clip
from ..approach import Approach, Factory
from ..features.images import Mel, Scaling, images
from ..folds import Fold
from ..windows import LABELS, OTHER_LABEL, WINDOW_FRAMES, Floats, Windows
from . import rare_events
from .rare_events import RULES, SPANS, Mixer, chunks, ensemble, overlap_mean
from .training import BATCH, LEARNING_RATE, convolved, fit_best, outputs, parameter_bytes, seeded

FRAME = Mel(fft=1024, frame=736, hop=368, bands=128, low=50.0, high=8000.0)
"""46 ms, half overlap, 128 mels."""
UNITS = 128
DROPOUT = 0.3
DECAY = 0.01
LONGEST_UNROLLED = 5
BLOCK, PREDICT_BATCH = 64, 256
MIXTURE_S, EBR_DB = 10.0, (-6.0, 24.0)
# Four networks with loops in them take their time: they learn from fewer windows of a class than others, and besides
# from mixtures, which teach to hear through a background.
PER_CLASS, MIXTURES, TUNE_MIXTURES, WITH_EVENT, EPOCHS, PATIENCE = 24, 32, 12, 2, 6, 2
Examples = tuple[list[Floats], list[Labels]]
"""Of each sound log-mel frames [n, mels] and their labels [n, 8]."""


class Crnn(Approach):
    """One network per length of chunk; each class is decided by the mean of those that suit it."""

    name, paper = "crnn", "D"
    purpose = "rare events and when they begin, over a background"
    _scaling: Scaling
    _networks: dict[int, keras.Model]

    def fit(self, fold: Fold) -> None:
        """Train the networks on the frames of windows and of mixtures, each until those to choose by get no better."""
        tuned = set(fold.tune.origins.tolist())
        few = 4 if fold.quick else 1
        clips = [clip for clip in fold.learned if clip.origin not in tuned]
        # There may be no background among the few recordings to choose by.
        others = [clip for clip in fold.learned if clip.origin in tuned or clip.label == BACKGROUND]
        learn = self._sounds(fold.train, fold, clips, MIXTURES // few)
        judge = self._sounds(fold.tune, fold, others, TUNE_MIXTURES // few)
        self._scaling = Scaling.of(np.concatenate(learn[0]))
        self._networks = {}
        for span in SPANS[1:2] if fold.quick else SPANS:
            network = self._networks[span] = seeded(partial(build_crnn, span), fold.seed)
            inputs, labels = self._chunks(learn, span)
            batch = BATCH * max(1, SPANS[-1] // span // 2)
            rate = keras.optimizers.schedules.InverseTimeDecay(
                LEARNING_RATE, max(1, len(inputs) // BATCH), DECAY
            )
            fit_best(
                network,
                masked_loss(positive_weights(labels)),
                (inputs, labels.astype(np.float32), None),
                self._chunks(judge, span),
                rate=rate,
                epochs=EPOCHS,
                batch_size=batch // (2 * few) if fold.quick else batch,
                patience=PATIENCE,
            )

    def predict(self, windows: Windows) -> Floats:
        """Return each class's highest frame; what no class claims is everyday sound."""
        found = np.zeros((len(windows), len(LABELS)), np.float32)
        for first in range(0, len(windows), BLOCK):
            block = slice(first, first + BLOCK)
            curves = self.curves(windows.samples[block], CLASSES)
            peaks = np.stack([curves[name].max(axis=1) for name in CLASSES], axis=1)
            found[block, :OTHER_LABEL], found[block, OTHER_LABEL] = peaks, np.prod(1 - peaks, axis=1)
        return found

    def curves(self, sounds: Floats, classes: Sequence[SoundClass]) -> dict[SoundClass, Floats]:
        """Return the probability of some classes per frame of sounds of one length: [N, samples] -> each [N, frames].

        Chunks slide by one frame; what overlapping ones say is averaged, then what the networks of a class say.
        """
        frames = self._scaling.apply(frames_of(sounds))
        predicted = {}
        for span in {span for name in classes for span in self._spans_of(name)}:
            pieces = [chunks(sound, span, 1) for sound in frames]
            logits = outputs(self._networks[span], np.concatenate(pieces), PREDICT_BATCH)
            each = np.split(expit(logits), len(pieces))
            predicted[span] = np.stack([overlap_mean(own, frames.shape[1]) for own in each])
        return {
            name: ensemble(predicted, self._spans_of(name))[:, :, CLASSES.index(name)] for name in classes
        }

    def experiment(self, fold: Fold) -> rare_events.Counts:
        """Return what is found in mixtures of 30 s, as in DCASE 2017 task 2, by the decisions of paper D."""
        mixer = Mixer(fold.library, fold.judged, fold.seed)
        return rare_events.count(mixer, self.curves, 1 if fold.quick else WITH_EVENT)

    def report(self, outcomes: Sequence[rare_events.Counts]) -> dict[str, Any]:
        """Return the event error rates."""
        return rare_events.report(outcomes, WITH_EVENT)

    def size_bytes(self) -> int:
        """Return the size of all networks."""
        return parameter_bytes(*self._networks.values()) + self._scaling.size_bytes()

    def _spans_of(self, name: SoundClass) -> tuple[int, ...]:
        """Return the chunks that decide a class; one that paper D does not name is decided by all."""
        wanted = RULES[name].spans if name in RULES else SPANS
        return tuple(span for span in wanted if span in self._networks) or tuple(self._networks)

    @staticmethod
    def _sounds(windows: Windows, fold: Fold, clips: list[Clip], mixtures: int) -> Examples:
        """Return frames and labels of windows, and of mixtures of clips."""
        of_path = {clip.path: clip for clip in fold.learned}
        frames, labels = [], []
        for label in np.unique(windows.labels):
            places = np.flatnonzero(windows.labels == label)
            # Evenly from first to last: windows of a label lie fold by fold.
            few = places[np.linspace(0, len(places) - 1, min(PER_CLASS, len(places))).astype(int)]
            frames += list(frames_of(windows.samples[few]))
            for place in few:
                first = windows.starts[place] // HOP
                own = fold.library.labels(of_path[str(windows.clips[place])])
                labels.append(per_frame(own[first : first + WINDOW_FRAMES], len(frames[-1])))
        mixer, generator = Mixer(fold.library, clips, fold.seed), np.random.default_rng(fold.seed)
        for number in range(mixtures):
            name = mixer.classes[number % len(mixer.classes)]
            mixture = mixer.mix(MIXTURE_S, name, generator.uniform(*EBR_DB))
            frames.append(frames_of(mixture.samples[None])[0])
            labels.append(per_frame(mixture.labels, len(frames[-1])))
        return frames, labels

    def _chunks(self, examples: Examples, span: int) -> tuple[Floats, Labels]:
        """Return chunks side by side, [n, span, mels, 1], and their labels, [n, span, 8]."""
        inputs = [chunks(self._scaling.apply(frames), span, span) for frames in examples[0]]
        labels = [chunks(own, span, span, UNSURE) for own in examples[1]]
        return np.concatenate(inputs), np.concatenate(labels)


def positive_weights(labels: Labels) -> Floats:
    """Return how much more a frame with a class counts than one without: half the root of their ratio, 1 to 6."""
    positive = (labels == 1).mean(axis=(0, 1)) + 1e-6
    return np.asarray(np.clip(0.5 * np.sqrt((1 - positive) / positive), 1, 6), np.float32)


def masked_loss(weights: Floats) -> Any:
    """Return binary cross-entropy on logits that weighs positive frames and leaves out unsure ones."""

    def loss(labels: Any, logits: Any) -> Any:
        known = ops.cast(ops.not_equal(labels, float(UNSURE)), "float32")
        positive = ops.cast(ops.equal(labels, 1.0), "float32")
        cost = ops.softplus(-logits) * positive * weights + ops.softplus(logits) * (1 - positive)
        return ops.sum(cost * known) / (ops.sum(known) + 1.0)

    return loss


def build_crnn(span: int) -> keras.Model:
    """Return a network from a chunk [span, mels, 1] to the logits of the classes per frame, [span, 8]."""
    inputs = keras.Input((span, FRAME.bands, 1))
    x = inputs
    for channels, kernel, pool in ((16, (3, 3), 4), (32, (1, 3), 8)):
        # Pooling is in frequency alone, so that no frame is lost.
        x = keras.layers.MaxPooling2D((1, pool))(convolved(x, channels, kernel))
        x = keras.layers.Dropout(DROPOUT)(x)
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


def frames_of(sounds: Floats) -> Floats:
    """Return log-mel frames of sounds of one length, [N, samples] -> [N, frames, mels]."""
    return images(sounds, FRAME, round(sounds.shape[1] / FRAME.hop))


def per_frame(labels: Labels, count: int) -> Labels:
    """Return labels per frame of 23 ms from those per 10 ms; past the end of a clip there is silence."""
    places = ((np.arange(count) + 0.5) * FRAME.hop / HOP).astype(int)
    reached = np.zeros((max(len(labels), int(places[-1]) + 1), labels.shape[1]), np.int8)
    reached[: len(labels)] = labels
    return np.asarray(reached[places])


APPROACHES: tuple[Factory, ...] = (Crnn,)
