"""Sliding chunks, their ensemble and the onset rule of the network for rare events, against slow references."""

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="TensorFlow is in .venv-models only: scripts/setup models")

from echonet_models.compare.networks.crnn import FRAME, build_crnn, frames_of, masked_loss, per_frame
from echonet_models.compare.networks.rare_events import (
    chunks,
    ensemble,
    error_rate,
    onset_frame,
    overlap_mean,
)


@pytest.mark.parametrize(("count", "span"), [(12, 3), (12, 12), (7, 5), (4, 9), (1, 3)])
def test_the_mean_over_chunks_is_that_of_every_frame_by_hand(count: int, span: int) -> None:
    generator = np.random.default_rng(count)
    number = len(chunks(np.zeros((count, 2)), span, 1))
    predicted = generator.random((number, span, 2)).astype(np.float32)
    seen: dict[int, list[np.ndarray]] = {frame: [] for frame in range(count)}
    for chunk in range(number):
        for place in range(span):
            if chunk + place < count:
                seen[chunk + place].append(predicted[chunk, place])
    expected = np.stack([np.mean(seen[frame], axis=0) for frame in range(count)])
    np.testing.assert_allclose(overlap_mean(predicted, count), expected, rtol=1e-5)


def test_chunks_cover_every_frame_and_the_last_ends_with_the_sound() -> None:
    frames = np.arange(11)[:, None]
    assert chunks(frames, 4, 4)[..., 0].tolist() == [[0, 1, 2, 3], [4, 5, 6, 7], [7, 8, 9, 10]]
    assert chunks(frames, 4, 1)[..., 0].tolist() == [list(range(start, start + 4)) for start in range(8)]
    assert chunks(frames[:2], 4, 1, fill=-1)[..., 0].tolist() == [[0, 1, -1, -1]]


def test_an_ensemble_is_the_mean_of_its_spans_alone() -> None:
    predicted = {span: np.full((2, 4), span, np.float32) for span in (3, 5, 9, 50)}
    np.testing.assert_allclose(ensemble(predicted, (3, 5)), 4)


@pytest.mark.parametrize(
    ("curve", "presence", "frame"),
    [
        ([0.1, 0.4, 0.6, 0.7, 0.9, 0.2], 0.8, 2),
        ([0.1, 0.4, 0.6, 0.7, 0.75, 0.2], 0.8, None),
        ([0.1, 0.6, 0.1, 0.2, 0.9], 0.8, 1),
        ([0.1, 0.2, 0.51, 0.9, 0.1], 0.5, 2),
        ([0.9, 0.6, 0.1], 0.5, 0),
        ([0.5, 0.5], 0.5, None),
    ],
)
def test_the_event_begins_in_the_first_frame_over_one_half_up_to_the_peak(
    curve: list[float], presence: float, frame: int | None
) -> None:
    assert onset_frame(np.array(curve, np.float32), presence) == frame


def test_both_recurrent_layers_run_backwards() -> None:
    network = build_crnn(9)
    generator = np.random.default_rng(0)
    quiet = generator.normal(size=(1, 9, FRAME.bands, 1)).astype(np.float32)
    changed = quiet.copy()
    changed[:, 5] += 5
    moved = np.abs(np.asarray(network(changed)) - np.asarray(network(quiet))).max(axis=2)[0]
    # The convolution reaches one frame beyond; what comes later knows nothing of an earlier change.
    assert (moved[:7] > 1e-6).all()
    np.testing.assert_allclose(moved[7:], 0, atol=1e-6)


def test_labels_of_10_ms_become_labels_of_the_frames_whose_middle_lies_in_them() -> None:
    labels = np.zeros((24, 8), np.int8)
    labels[8:16] = 1
    frames = frames_of(np.zeros((1, 32 * 160), np.float32)).shape[1]
    framed = per_frame(labels, frames)[:, 0]
    middles = (np.arange(frames) + 0.5) * 0.023
    assert framed.tolist() == [int(0.08 <= middle < 0.16) for middle in middles]


def test_what_is_unsure_is_not_learned_from() -> None:
    loss = masked_loss(np.full(2, 3, np.float32))
    logits = np.array([[[1.0, -2.0]]], np.float32)
    assert float(loss(np.array([[[1.0, -1.0]]], np.float32), logits)) == pytest.approx(
        3 * np.log1p(np.exp(-1)) / 2, rel=1e-5
    )


def test_error_rate_counts_what_was_missed_and_what_was_not_there() -> None:
    assert error_rate([8, 3, 10]) == pytest.approx(0.5)
    assert error_rate([0, 0, 10]) == 1
