"""The second look: it learns from longer windows, and satellites hear with both networks what the evaluation counts."""

import json
from pathlib import Path

import numpy as np
import pytest

from echonet_models.data.library import Library
from echonet_models.data.manifest import CLASSES
from echonet_models.data.recordings import SAMPLE_RATE
from echonet_models.data.teachers import AUDIOSET_CLASSES, LONG_STRETCH, Lesson, read_class_map, stretches
from echonet_models.evaluation.pooled import (
    LIKELY_LOGIT,
    SECOND as SECOND_COLUMNS,
    SHARES,
    UNASKED,
    Listener,
    blended,
    windows_of,
)
from echonet_models.evaluation.replay import Calibration
from echonet_models.mixing.windows import Recipe, Windows, stack
from echonet_models.network.ears import SECOND_LOOK_FRAMES, Ears, pretrained
from echonet_models.network.export import convert, convert_second_look
from echonet_models.network.regression import fit
from echonet_models.training.run import FIRST, SECOND
from echonet_satellite import synthesis
from echonet_satellite.card import MODEL_FILE, SECOND_LOOK_FILE
from echonet_satellite.classifier import Heard, load_classifier
from echonet_satellite.hearing import Hearing
from echonet_satellite.protocol import SoundClass

RELEASED = Path(__file__).parents[2] / "models" / "released" / "echonet"


@pytest.fixture(scope="module")
def both(teachers: Path, library: Library) -> tuple[Ears, Ears]:
    """Both networks as their training begins."""
    class_map = read_class_map(teachers)
    regression = fit(library.clips, library.lessons, class_map)
    found = tuple(pretrained(teachers, class_map.meanings, look.frames) for look in (FIRST, SECOND))
    for ears in found:
        ears.begin_with(regression)
    return found[0], found[1]


def long_lessons(library: Library) -> dict[str, Lesson]:
    lessons = {}
    for clip in library.clips:
        starts = np.array(stretches(clip, library.recordings.length(clip.path), LONG_STRETCH))
        logits = np.full((len(starts), AUDIOSET_CLASSES), -6, np.float32)
        lessons[clip.path] = Lesson(starts, logits, LONG_STRETCH)
    return lessons


def test_windows_are_as_long_as_the_stretches_that_the_teachers_heard(library: Library) -> None:
    windows = Windows(library, Recipe(), np.random.default_rng(0), lessons=long_lessons(library))
    log_mel, labels, logits = stack(windows.batch(24))
    assert log_mel.shape == (24, SECOND_LOOK_FRAMES, 104)
    assert np.isfinite(log_mel).all()
    assert (labels == 1).any()
    assert not np.isnan(logits).all()


def test_a_satellite_hears_with_both_what_the_evaluation_counts(
    both: tuple[Ears, Ears], tmp_path: Path
) -> None:
    """The files, their card and the satellite's hearing against the networks as the evaluation asks them."""
    generator = np.random.default_rng(1)
    # Louder than the quiet that evaluation and satellite think of before it, and that evaluation lays under it.
    samples = generator.normal(0, 0.01, 10 * SAMPLE_RATE).astype(np.float32)
    for begins_s, sound in ((2, synthesis.glass_break), (5, synthesis.dog_bark), (7, synthesis.scream)):
        event = sound(generator)[: 2 * SAMPLE_RATE]
        samples[begins_s * SAMPLE_RATE :][: len(event)] += event
    # About half of what it hears shall be likely, whatever the few clips here have taught it.
    first_logits = both[0].model.predict(windows_of(samples), verbose=0)[0]
    kernel, bias = both[0].head.get_weights()
    both[0].head.set_weights([kernel, bias - np.median(first_logits[:, SHARES > 0].max(axis=1))])
    slopes, offsets, second_slopes, second_offsets = (
        generator.uniform(low, low + 0.5, len(CLASSES)).astype(np.float32) for low in (0.8, 0.0, 0.6, 0.2)
    )
    first = convert(both[0], slopes, offsets)
    second = convert_second_look(both[1], second_slopes, second_offsets)
    own = [(name, place) for place, name in enumerate(CLASSES) if SHARES[place]]
    card = json.loads((RELEASED / "model.json").read_text(encoding="utf-8"))
    card |= {"sha256": first.sha256, "tensors": first.tensors, "embedding_size": first.embedding_size}
    card["second_look"] = {
        "sha256": second.sha256,
        "window_frames": SECOND.frames,
        "input": second.tensors["input"],
        "logits": second.tensors["logits"],
        "shares": {name: float(SHARES[place]) for name, place in own},
        "likely": {
            name: float(1 / (1 + np.exp(-(LIKELY_LOGIT * slopes[place] + offsets[place]))))
            for name, place in own
        },
    }
    (tmp_path / "model.json").write_text(json.dumps(card), encoding="utf-8")
    (tmp_path / MODEL_FILE).write_bytes(first.content)
    (tmp_path / SECOND_LOOK_FILE).write_bytes(second.content)

    heard: list[Heard] = []
    hearing = Hearing(load_classifier(tmp_path), {}, on_heard=heard.append)
    hearing.push(samples)
    hearing.finish()
    logits = Listener(both[0].model, both[1].model).hear(samples)
    calibration = Calibration(slopes, offsets, (second_slopes, second_offsets))
    # Of presence the detector makes something of its own.
    others = [place for place, name in enumerate(CLASSES) if name is not SoundClass.PRESENCE]
    told = np.stack([one.probabilities for one in heard])[:, others]
    counted = calibration.probabilities(logits)[: len(told), others]
    looked = logits[:, SECOND_COLUMNS.start] != UNASKED
    assert looked.any()
    assert not looked.all()
    # Weights of 16 bits are a little off; whether a look is worth it may differ by that at the limit.
    assert (np.abs(told - counted).max(axis=1) < 0.03).mean() > 0.9


def test_what_is_not_looked_at_counts_as_surely_not_there() -> None:
    logits = np.full((2, SECOND_COLUMNS.stop), UNASKED, np.float32)
    logits[:, : len(CLASSES)] = 3.0
    logits[1, SECOND_COLUMNS] = 5.0
    without, looked = blended(logits)
    assert (without <= 3.0).all()
    assert looked == pytest.approx(3.0 + SHARES * 2.0)
    assert (without[SHARES == 0] == 3.0).all()
