"""Each time that a mixture is learned from it is heard anew, and what is to be learned of it stays."""

import numpy as np

from echonet_models.batches import COLOUR_DB, LOUDER_DB, Batches, heard_anew
from echonet_models.datasets import CLASSES
from echonet_models.pools import Pool
from echonet_models.portraits import NOT_PORTRAYED, YAMNET_WINDOWS
from echonet_models.teachers import TEACHER_CLASSES
from echonet_satellite.frontend import FrontendParameters, log_mel


def pool_of(features: np.ndarray, labels: np.ndarray) -> Pool:
    """Return a pool with teachers that hear anything."""
    generator, size = np.random.default_rng(2), len(features)
    return Pool(
        features,
        labels,
        generator.integers(0, 250, (size, 2, TEACHER_CLASSES)).astype(np.uint8),
        *(generator.random((size, *numbers.shape)).astype(np.float16) for numbers in NOT_PORTRAYED),
    )


def test_another_gain_is_heard_as_if_the_sound_had_it() -> None:
    """Changed in the frames, a gain gives what it would have given in the samples, in every band."""
    generator = np.random.default_rng(0)
    samples = (generator.normal(0, 0.02, (4, 16000)) * np.linspace(0, 1, 16000)).astype(np.float32)
    frames = np.stack([log_mel(each, FrontendParameters()) for each in samples])
    anew = heard_anew(frames, generator)
    gains_db = np.median(anew - frames, axis=1) * 10 / np.log(10)
    assert np.abs(gains_db).max() < LOUDER_DB + 5 * COLOUR_DB
    assert np.ptp(gains_db.mean(axis=1)) > 1
    for row, own in enumerate(gains_db):
        # The gain of one band, given to the samples, is what that band became.
        for band in (0, 20, 63):
            louder = log_mel(samples[row] * np.float32(10 ** (own[band] / 20)), FrontendParameters())
            np.testing.assert_allclose(anew[row, 50:, band], louder[50:, band], atol=0.06)


def test_bands_and_moments_are_blanked_and_labels_stay() -> None:
    generator = np.random.default_rng(0)
    features = generator.normal(size=(64, 1024, 64)).astype(np.float16)
    labels = generator.integers(-1, 2, (64, 128, 8)).astype(np.int8)
    pool = pool_of(features, labels)
    judged = generator.normal(size=(64, YAMNET_WINDOWS, len(CLASSES))).astype(np.float32)
    seen, targets = Batches(pool, np.arange(64), 64, np.random.default_rng(1), judged)[0]
    np.testing.assert_array_equal(targets["assisted"], judged)
    np.testing.assert_array_equal(targets["classes"], labels)
    np.testing.assert_array_equal(targets["yamnet"], pool.yamnet.astype(np.float32))
    np.testing.assert_array_equal(targets["mn04"], pool.mn04.astype(np.float32))
    blank = seen == seen.min(axis=(1, 2), keepdims=True)
    bands, moments = blank.mean(axis=1) > 0.9, blank.mean(axis=2) > 0.9
    banded, paused = bands.any(axis=1), moments.any(axis=1)
    assert 0.2 < banded.mean() < 0.6
    assert 0.2 < paused.mean() < 0.6
    # Little enough for an event to be heard through it.
    assert moments.sum(axis=1).max() <= 24
    assert bands.sum(axis=1).max() <= 8
