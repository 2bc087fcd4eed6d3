"""The speech gate on real talk and real sounds, and the picture, which must not show what is not heard."""

from collections.abc import Callable
import io
from pathlib import Path

import numpy as np
from PIL import Image
import pytest

from echonet_satellite.audio import SAMPLE_RATE
from echonet_satellite.audio.file import read_blocks
from echonet_satellite.clips.spectrogram import HEIGHT, MAX_WIDTH, spectrogram_png
from echonet_satellite.clips.speech import find_talk, mute
from echonet_satellite.clips.tape import Samples


def talk_of(recordings: Path, count: int) -> list[Samples]:
    """Return recordings of talk, each from another source or speaker."""
    found = sorted((recordings / "presence").rglob("*speech*"))
    if len(found) < count:
        pytest.skip("no recordings of talk")
    return [samples_of(path) for path in found[:: len(found) // count][:count]]


def samples_of(path: Path) -> Samples:
    sound = np.concatenate(list(read_blocks(path)))[: 6 * SAMPLE_RATE]
    return (np.clip(sound, -1, 1) * 32767).astype(np.int16)


def test_talk_is_silent_in_what_is_kept(recordings: Path) -> None:
    left = []
    for samples in talk_of(recordings, 4):
        kept = mute(samples, find_talk(samples))
        left.append(float((find_talk(kept)).mean()))
    assert left == [0.0] * len(left)


def test_quiet_talk_in_another_corner_of_the_room_is_found(recordings: Path) -> None:
    # The network alone finds next to nothing at this level.
    shares = [
        float(find_talk((samples * (100 / np.std(samples))).astype(np.int16)).mean())
        for samples in talk_of(recordings, 4)
    ]
    assert min(shares) > 0.3


def test_a_smoke_alarm_and_silence_are_left_as_they_are() -> None:
    at = np.arange(6 * SAMPLE_RATE) / SAMPLE_RATE
    beeps = (8000 * np.sin(2 * np.pi * 3100 * at) * (at % 1.0 < 0.5)).astype(np.int16)
    for samples in (beeps, np.zeros_like(beeps)):
        talks = find_talk(samples)
        assert not talks.any()
        np.testing.assert_array_equal(mute(samples, talks), samples)


def test_muting_does_not_touch_what_is_far_from_talk() -> None:
    samples = np.full(SAMPLE_RATE, 1000, np.int16)
    talks = np.zeros(SAMPLE_RATE, np.bool_)
    talks[8000:9000] = True
    kept = mute(samples, talks)
    assert not kept[8000:9000].any()
    assert (kept[:7000] == 1000).all()
    assert (kept[10_000:] == 1000).all()


@pytest.mark.parametrize("seconds", [0.5, 1.0, 10.0])
def test_the_picture_shows_a_tone_at_its_height_and_a_line_at_the_onset(seconds: float) -> None:
    count = round(seconds * SAMPLE_RATE)
    tone = (8000 * np.sin(2 * np.pi * 2000 * np.arange(count) / SAMPLE_RATE)).astype(np.int16)
    image = Image.open(io.BytesIO(spectrogram_png(tone, onset_s=seconds / 2)))
    image.verify()
    image = Image.open(io.BytesIO(spectrogram_png(tone, onset_s=seconds / 2)))
    assert image.height == HEIGHT
    assert image.width <= MAX_WIDTH
    picture = np.asarray(image.convert("L")).astype(int)
    column = picture[:, image.width // 4]
    assert abs((HEIGHT - int(column.argmax())) / HEIGHT * 8000 - 2000) < 100
    line = np.asarray(image)[:, image.width // 2]
    assert (line == 255).sum() >= HEIGHT // 2 - 2


def test_a_picture_can_be_made_of_next_to_nothing(recording: Callable[[str], Path]) -> None:
    for samples in (np.zeros(0, np.int16), np.ones(1, np.int16), np.zeros(100, np.int16)):
        Image.open(io.BytesIO(spectrogram_png(samples, 0.0))).verify()
