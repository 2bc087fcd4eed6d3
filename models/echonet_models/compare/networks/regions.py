"""Region-based detection on the spectrogram (paper A, after R-CNN): what stands out is cut out and classified."""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import keras
import numpy as np
from scipy import ndimage
import tensorflow as tf

from ..approach import Factory
from ..classical.clip_features import class_weights
from ..features.images import Scaling, log_mel_patches
from ..folds import Fold
from ..windows import LABELS, Floats, Integers, Windows
from .training import Network, convolved, fit_classifier, outputs, seeded, softmax_head

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
    return [whole, *without_overlap(found, LARGEST_OVERLAP, count)]


def without_overlap(regions: Sequence[Region], largest: float, count: int) -> list[Region]:
    """Return the strongest regions, without those that overlap a stronger one by more than `largest` of both."""
    if not regions:
        return []
    boxes = np.array([(one.start, one.low, one.stop, one.high) for one in regions], np.float32)
    kept = tf.image.non_max_suppression(boxes, [one.score for one in regions], count, largest)
    return [regions[place] for place in kept.numpy()]


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


class RegionNetwork(Network):
    """A small CNN on regions; a window holds what any of its regions holds."""

    def fit(self, fold: Fold) -> None:
        """Train on the regions of windows, each with the label of its window: there are no finer ones."""
        self._scaling = Scaling.of(log_mel_patches(fold.train))
        learn, owners = self._regions(fold.train)
        judge, judge_owners = self._regions(fold.tune)
        self.network = seeded(self._build, fold.seed)
        labels = fold.train.labels[owners]
        # A window with many regions counts no more than one with few.
        shares = 1 / np.bincount(owners)[owners]
        weights = class_weights(labels) * (shares / shares.mean()).astype(np.float32)
        fit_classifier(
            self.network, (learn, labels), (judge, fold.tune.labels[judge_owners]), fold, weights=weights
        )

    def predict(self, windows: Windows) -> Floats:
        """Return the highest probability of each class over the regions of a window."""
        cuts, owners = self._regions(windows)
        best = np.zeros((len(windows), len(LABELS)), np.float32)
        np.maximum.at(best, owners, outputs(self.network, cuts, batch=256))
        return best

    def _regions(self, windows: Windows) -> tuple[Floats, Integers]:
        """Return all regions, [n, 32, 32, 3], and the place of the window that each is from."""
        cuts, owners = [], []
        for place, image in enumerate(self.inputs(windows)[..., 0]):
            own = [cut_out(image, region) for region in propose(image)]
            cuts += own
            owners += [place] * len(own)
        return np.stack(cuts), np.array(owners, np.int64)


def build_region_network() -> keras.Model:
    """Return a network from regions [N, 32, 32, 3] to the probabilities of the classes."""
    inputs = x = keras.Input((SIZE, SIZE, 3))
    for channels, stride in ((16, 2), (32, 1), (64, 1)):
        x = convolved(x, channels, 3, strides=stride)
        x = keras.layers.MaxPooling2D(2)(x) if stride == 1 else x
    return keras.Model(inputs, softmax_head(keras.layers.Flatten()(x)))


PURPOSE = "where in time and pitch a sound stands out, and what it is there"
APPROACHES: tuple[Factory, ...] = (
    partial(RegionNetwork, "rcnn", "A", PURPOSE, build_region_network, log_mel_patches),
)
