"""Region-based detection on the spectrogram (paper A, after R-CNN): what stands out is cut out and classified."""

from collections.abc import Sequence
from typing import NamedTuple

import keras
import numpy as np
from scipy import ndimage

from .approach import Factory, Progress, Scores
from .deep_network import rows_to_one
from .deep_patches import Floats, Scaling, log_mel_patches
from .deep_training import class_weights, effort_for, fit_classifier, parameter_bytes, scores, seeded
from .shared import untrained
from .windows import LABELS, Windows

LEVELS = (0.5, 1.0, 1.75)
"""How far above its mean, in deviations of the image, a region stands out."""
SMALLEST = (3, 2)
MARGIN = 2
LARGEST_OVERLAP = 0.3
REGIONS = 4
SIZE = 32


class Region(NamedTuple):
    """A box in an image: frames `start` to `stop`, mels `low` to `high`, and how much stands out in it."""

    start: int
    stop: int
    low: int
    high: int
    score: float

    @property
    def area(self) -> int:
        """Frames times mels."""
        return (self.stop - self.start) * (self.high - self.low)


def propose(image: Floats, count: int = REGIONS) -> list[Region]:
    """Return the whole image [frames, mels] and at most `count` regions of it that stand out, strongest first.

    What is connected above one of several levels is a region; of regions that overlap much the strongest stays.
    """
    blurred = ndimage.gaussian_filter(image, 1.0)
    raised = (blurred - blurred.mean()) / (blurred.std() + 1e-6)
    found = []
    for level in LEVELS:
        marked, _ = ndimage.label(raised > level, structure=np.ones((3, 3)))
        boxes = ndimage.find_objects(marked)
        sums = ndimage.sum_labels(raised, marked, range(1, len(boxes) + 1))
        for (time, mels), score in zip(boxes, np.atleast_1d(sums), strict=True):
            if time.stop - time.start >= SMALLEST[0] and mels.stop - mels.start >= SMALLEST[1]:
                region = Region(time.start, time.stop, mels.start, mels.stop, 0.0)
                # By the root of its box, else what is large and mostly empty would win.
                found.append(region._replace(score=float(score) / region.area**0.5))
    whole = Region(0, image.shape[0], 0, image.shape[1], 0.0)
    return [whole, *without_overlap(found, LARGEST_OVERLAP)[:count]]


def without_overlap(regions: Sequence[Region], largest: float) -> list[Region]:
    """Return the regions by falling score, without those that overlap a stronger one by more than `largest`."""
    kept: list[Region] = []
    for region in sorted(regions, key=lambda region: -region.score):
        if all(overlap(region, other) <= largest for other in kept):
            kept.append(region)
    return kept


def overlap(one: Region, other: Region) -> float:
    """Return the area of the intersection over that of the union."""
    frames = min(one.stop, other.stop) - max(one.start, other.start)
    mels = min(one.high, other.high) - max(one.low, other.low)
    shared = max(0, frames) * max(0, mels)
    return shared / (one.area + other.area - shared)


def cut_out(image: Floats, region: Region) -> Floats:
    """Return a region with a margin at one size, [32, 32, 3]: its levels, and what the size hides.

    That is the pitch of each of its rows and how long it is, both -1 to 1.
    """
    frames, mels = image.shape
    start, stop = max(0, region.start - MARGIN), min(frames, region.stop + MARGIN)
    low, high = max(0, region.low - MARGIN), min(mels, region.high + MARGIN)
    time, pitch = np.linspace(start, stop - 1, SIZE), np.linspace(low, high - 1, SIZE)
    cut = np.empty((SIZE, SIZE, 3), np.float32)
    cut[:, :, 0] = ndimage.map_coordinates(image, np.meshgrid(time, pitch, indexing="ij"), order=1)
    cut[:, :, 1] = 2 * pitch / (mels - 1) - 1
    cut[:, :, 2] = 2 * (stop - start) / frames - 1
    return cut


class RegionNetwork:
    """A small CNN on regions; a window holds what any of its regions holds."""

    name, paper = "rcnn", "A"
    purpose = "where in time and pitch a sound stands out, and what it is there"

    def __init__(self) -> None:
        """Know nothing yet."""
        self._network: keras.Model | None = None
        self._scaling: Scaling | None = None

    def fit(self, train: Windows, tune: Windows, *, seed: int, quick: bool, progress: Progress) -> None:
        """Train on the regions of windows, each with the label of its window: there are no finer ones."""
        effort = effort_for(quick=quick)
        train, tune = effort.limit(train, seed), effort.limit(tune, seed)
        self._scaling = Scaling.of(log_mel_patches(train.samples))
        learn, owners = self._regions(train)
        judge, judge_owners = self._regions(tune)
        self._network = seeded(build_region_network, seed)
        labels = train.labels[owners]
        # A window with many regions counts no more than one with few.
        shares = 1 / np.bincount(owners)[owners]
        fit_classifier(
            self._network,
            (learn, labels),
            (judge, tune.labels[judge_owners]),
            effort.wider(len(learn) / len(train)),
            progress,
            weights=class_weights(labels) * (shares / shares.mean()).astype(np.float32),
        )

    def predict(self, windows: Windows) -> Scores:
        """Return the highest probability of each class over the regions of a window, its rows scaled to sum to one."""
        if self._network is None:
            raise untrained(self.name)
        cuts, owners = self._regions(windows)
        best = np.zeros((len(windows), len(LABELS)), np.float32)
        np.maximum.at(best, owners, scores(self._network, cuts, batch=256))
        return rows_to_one(best)

    def size_bytes(self) -> int:
        """Return the size of the network and of the scaling of its images."""
        if self._network is None or self._scaling is None:
            raise untrained(self.name)
        return parameter_bytes([self._network]) + self._scaling.size_bytes()

    def _regions(self, windows: Windows) -> tuple[Floats, np.ndarray]:
        """Return all regions, [n, 32, 32, 3], and the place of the window that each is from."""
        if self._scaling is None:
            raise untrained(self.name)
        cuts, owners = [], []
        for place, image in enumerate(self._scaling.apply(log_mel_patches(windows.samples))[..., 0]):
            own = [cut_out(image, region) for region in propose(image)]
            cuts += own
            owners += [place] * len(own)
        return np.stack(cuts), np.array(owners, np.int64)


def build_region_network() -> keras.Model:
    """Return a network from regions [N, 32, 32, 3] to the probabilities of the classes."""
    inputs = keras.Input((SIZE, SIZE, 3))
    x = inputs
    for channels, stride in ((16, 2), (32, 1), (64, 1)):
        x = keras.layers.Conv2D(channels, 3, strides=stride, padding="same", use_bias=False)(x)
        x = keras.layers.ReLU()(keras.layers.BatchNormalization(momentum=0.9)(x))
        x = keras.layers.MaxPooling2D(2)(x) if stride == 1 else x
    x = keras.layers.Flatten()(x)
    x = keras.layers.Dropout(0.3)(x)
    x = keras.layers.Dense(64, activation="relu")(x)
    x = keras.layers.Dropout(0.3)(x)
    return keras.Model(inputs, keras.layers.Dense(len(LABELS), activation="softmax")(x))


APPROACHES: tuple[Factory, ...] = (lambda _material: RegionNetwork(),)
