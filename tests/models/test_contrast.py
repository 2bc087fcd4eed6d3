"""How far a band stands out from its recent past: against a slow reference, and what it is for."""

from hypothesis import given, settings, strategies as st
import numpy as np

from echonet_models.networks.contrast import REMAINS, Contrast, contrast

BLOCK = 8


def slow(frames: np.ndarray) -> np.ndarray:
    """The definition, one frame after the other, of [T, mels]."""
    mean, above = np.zeros(frames.shape[1]), list[np.ndarray]()
    for first in range(0, len(frames), BLOCK):
        block = frames[first : first + BLOCK]
        above.extend(frame - mean for frame in block)
        mean = REMAINS * mean + (1 - REMAINS) * block.mean(axis=0)
    return np.stack([frames, np.array(above)], axis=-1)


@settings(deadline=None, max_examples=20)
@given(st.integers(1, 300), st.integers(0, 1000))
def test_sequences_of_any_length_are_as_defined(length: int, seed: int) -> None:
    frames = np.random.default_rng(seed).normal(0, 2, (2, length, 5)).astype(np.float32)
    found = np.asarray(Contrast(BLOCK)(frames))
    assert found.shape == (2, length, 5, 2)
    for own, expected in zip(found, frames, strict=True):
        # The last block may be cut off; nothing after it asks for its mean.
        np.testing.assert_allclose(own, slow(expected), atol=1e-4)


def test_steps_go_on_where_the_last_ended() -> None:
    frames = np.random.default_rng(0).normal(0, 2, (1, 64, 5)).astype(np.float32)
    mean, found = np.zeros((1, 5), np.float32), []
    for first in range(0, 64, 16):
        own, mean = contrast(frames[:, first : first + 16], mean, BLOCK)
        found.append(np.asarray(own)[0])
    np.testing.assert_allclose(np.concatenate(found), slow(frames[0]), atol=1e-4)


def test_what_a_microphone_adds_to_every_frame_is_soon_forgotten() -> None:
    """A louder microphone, or one with more treble, adds the same to all frames of a band."""
    generator = np.random.default_rng(0)
    frames = generator.normal(0, 1, (1, 1600, 5)).astype(np.float32)
    microphone = generator.normal(0, 3, 5).astype(np.float32)
    plain, coloured = (np.asarray(Contrast(BLOCK)(each))[0, ..., 1] for each in (frames, frames + microphone))
    assert np.abs(coloured[:8] - plain[:8]).max() > 2
    np.testing.assert_allclose(coloured[1200:], plain[1200:], atol=0.05)
