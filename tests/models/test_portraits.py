"""What the teachers hear in a mixture is laid beside the right outputs of the network."""

from pathlib import Path

import numpy as np
import pytest

from echonet_models.embeddings import EMBEDDING_SIZE
from echonet_models.portraits import (
    MN04_FRAME_S,
    MN04_FRAMES,
    MN04_LATER_S,
    MN04_OUTPUTS,
    MN04_SIZE,
    NOT_PORTRAYED,
    YAMNET_HOP,
    YAMNET_OUTPUTS,
    YAMNET_WINDOWS,
    Portrayer,
)
from echonet_models.scene import SAMPLES, STEPS
from echonet_models.teachers import OUTPUT_SAMPLES, WINDOW


def test_the_network_is_asked_when_it_has_heard_what_the_teacher_heard() -> None:
    windows, frames = range(STEPS)[YAMNET_OUTPUTS], range(STEPS)[MN04_OUTPUTS]
    assert len(windows) == YAMNET_WINDOWS == len(NOT_PORTRAYED.yamnet)
    assert len(frames) == MN04_FRAMES == len(NOT_PORTRAYED.mn04)
    for number, output in enumerate(windows):
        end = number * YAMNET_HOP + WINDOW
        assert 0 <= (output + 1) * OUTPUT_SAMPLES - end <= OUTPUT_SAMPLES
    for number, output in enumerate(frames):
        later_s = (output + 1) * 0.08 - (number + 1) * MN04_FRAME_S
        assert later_s == pytest.approx(MN04_LATER_S)


def test_a_sound_changes_what_is_heard_around_it(teachers: Path) -> None:
    generator = np.random.default_rng(0)
    quiet = generator.normal(0, 1e-3, SAMPLES).astype(np.float32)
    loud = quiet.copy()
    # A second of a beep, five seconds in.
    loud[80_000:96_000] += 0.3 * np.sin(np.arange(16_000) * 1.2).astype(np.float32)
    portrayer = Portrayer(teachers)
    before, after = portrayer.portray(quiet), portrayer.portray(loud)
    assert before.yamnet.shape == (YAMNET_WINDOWS, EMBEDDING_SIZE)
    assert before.mn04.shape == (MN04_FRAMES, MN04_SIZE)

    change = np.abs(after.yamnet.astype(float) - before.yamnet).mean(axis=1)
    starts = np.arange(YAMNET_WINDOWS) * YAMNET_HOP
    touched = (starts < 96_000) & (starts + WINDOW > 80_000)
    assert change[~touched].max() == 0
    assert (change[touched] > 0).all()

    # mn04 hears ten seconds at once, but most of what changes lies where the sound is.
    change = np.abs(after.mn04.astype(float) - before.mn04).mean(axis=1)
    middle_s = (np.arange(MN04_FRAMES) + 0.5) * MN04_FRAME_S
    assert 4.8 < middle_s[change.argmax()] < 6.2
    assert change[np.abs(middle_s - 5.5) < 0.6].mean() > 3 * change[np.abs(middle_s - 5.5) > 2].mean()
