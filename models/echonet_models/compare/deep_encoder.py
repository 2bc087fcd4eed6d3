"""Encoder and classifier (paper B): a public network's embedding, never trained here, and a head that is."""

from hashlib import blake2b

import keras
import numpy as np

from ..embeddings import EMBEDDING_SIZE, Embedder
from ..teachers import MODEL_FILE, WINDOW as ENCODER_WINDOW, teachers_directory
from .approach import Factory, Progress, Scores
from .deep_training import effort_for, fit_classifier, parameter_bytes, scores, seeded
from .shared import part_of, untrained
from .windows import LABELS, WINDOW, Windows

HIDDEN = 128


class Encoder:
    """YAMNet's embeddings of windows; those of windows to learn from are computed once for all heads."""

    def __init__(self) -> None:
        """Know no window yet."""
        self._embedder: Embedder | None = None
        self._known: dict[bytes, Scores] = {}

    def learn(self, windows: Windows, progress: Progress) -> Scores:
        """Return the embeddings [N, 1024], and remember them."""
        keys = [blake2b(samples.tobytes()).digest() for samples in windows.samples]
        for place, key in enumerate(keys):
            if key not in self._known:
                self._known[key] = self._embed(windows.samples[place])
            progress((place + 1) / len(windows))
        return np.stack([self._known[key] for key in keys])

    def embed(self, windows: Windows) -> Scores:
        """Return the embeddings [N, 1024], computed now, as a satellite would have to."""
        return np.stack([self._embed(samples) for samples in windows.samples])

    @staticmethod
    def size_bytes() -> int:
        """Return the size of the network's file: it is stored as integers."""
        return (teachers_directory() / MODEL_FILE).stat().st_size

    def _embed(self, samples: Scores) -> Scores:
        self._embedder = self._embedder or Embedder(teachers_directory())
        padded = np.pad(samples, (0, ENCODER_WINDOW - WINDOW))
        embedding: Scores = self._embedder.embed(padded)[0].astype(np.float32)
        return embedding


class EncoderClassifier:
    """A fully connected softmax classifier on frozen embeddings."""

    paper = "B"

    def __init__(self, name: str, purpose: str, encoder: Encoder, dropout: float) -> None:
        """Share an encoder; `dropout` is the share of embedding and hidden layer dropped while learning."""
        self.name, self.purpose = name, purpose
        self._encoder, self._dropout = encoder, dropout
        self._head: keras.Model | None = None

    def fit(self, train: Windows, tune: Windows, *, seed: int, quick: bool, progress: Progress) -> None:
        """Embed both splits, then train the head."""
        effort = effort_for(quick=quick)
        train, tune = effort.limit(train, seed), effort.limit(tune, seed)
        learn = (self._encoder.learn(train, part_of(progress, 0, 0.6)), train.labels)
        judge = (self._encoder.learn(tune, part_of(progress, 0.6, 0.75)), tune.labels)
        self._head = seeded(lambda: build_head(self._dropout), seed)
        fit_classifier(self._head, learn, judge, effort, part_of(progress, 0.75, 1))

    def predict(self, windows: Windows) -> Scores:
        """Return the head's softmax."""
        return scores(self._trained(), self._encoder.embed(windows))

    def size_bytes(self) -> int:
        """Return the size of encoder and head."""
        return self._encoder.size_bytes() + parameter_bytes([self._trained()])

    def _trained(self) -> keras.Model:
        if self._head is None:
            raise untrained(self.name)
        return self._head


def build_head(dropout: float) -> keras.Model:
    """Return a network from embeddings [N, 1024] to the probabilities of the classes."""
    layers = [
        keras.layers.Dense(HIDDEN, activation="relu"),
        keras.layers.BatchNormalization(momentum=0.9),
        keras.layers.Dense(len(LABELS), activation="softmax"),
    ]
    if dropout:
        layers = [keras.layers.Dropout(dropout), *layers[:2], keras.layers.Dropout(dropout), layers[2]]
    return keras.Sequential([keras.Input((EMBEDDING_SIZE,)), *layers])


_ENCODER = Encoder()

APPROACHES: tuple[Factory, ...] = (
    lambda _material: EncoderClassifier(
        "encoder-classifier",
        "the best of paper B: what a large network hears, and a small head",
        _ENCODER,
        0.0,
    ),
    lambda _material: EncoderClassifier(
        "encoder-classifier-dropout", "the same with dropout, for few recordings", _ENCODER, 0.4
    ),
)
