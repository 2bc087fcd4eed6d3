"""The tape: the last half minute of sound, for as long as somebody wants clips, and nothing otherwise."""

from collections.abc import Callable
from datetime import datetime
import time

from hypothesis import given, strategies as st
import numpy as np

from echonet_satellite.audio import SAMPLE_RATE
from echonet_satellite.audio.playback import open_samples
from echonet_satellite.clips.tape import Tape
from echonet_satellite.frontend import Floats
from echonet_satellite.learning.sounds import TaughtEvent
from echonet_satellite.pipeline import Pipeline
from echonet_satellite.protocol import Health, Level, Phase
from echonet_satellite.sound_event import SoundEvent
from tests.support.hearing import LoudnessClassifier, noise, settings, silence


def ramp(count: int) -> Floats:
    """Return samples of which each tells its number."""
    return ((np.arange(count) % 30_000) / 32767).astype(np.float32)


def test_nothing_is_remembered_unless_it_is_switched_on() -> None:
    tape = Tape()
    tape.push(ramp(SAMPLE_RATE), 0.0)
    assert tape.cut(0.0, 1.0) is None
    tape.switch(on=True)
    assert tape.cut(0.0, 1.0) is None
    tape.push(ramp(SAMPLE_RATE), 1.0)
    assert tape.cut(1.0, 2.0) is not None
    tape.switch(on=False)
    tape.switch(on=True)
    assert tape.cut(1.0, 2.0) is None


def test_what_was_interrupted_is_forgotten() -> None:
    tape = Tape()
    tape.switch(on=True)
    tape.push(ramp(SAMPLE_RATE), 0.0)
    tape.clear()
    assert tape.cut(0.0, 1.0) is None
    tape.push(ramp(SAMPLE_RATE), 5.0)
    tape.push(ramp(SAMPLE_RATE), 10.0)
    cut = tape.cut(0.0, 20.0)
    assert cut is not None
    assert cut[1] == 10.0  # what lies before the hole is no part of it
    assert len(cut[0]) == SAMPLE_RATE


@given(
    blocks=st.lists(st.integers(1, 3000), min_size=1, max_size=60),
    start=st.floats(-2.0, 8.0),
    length=st.floats(0.0, 6.0),
)
def test_a_cut_is_what_was_heard_at_that_time(blocks: list[int], start: float, length: float) -> None:
    tape = Tape(length_s=1.0)
    tape.switch(on=True)
    whole = ramp(sum(blocks))
    done = 0
    for size in blocks:
        tape.push(whole[done : done + size], done / SAMPLE_RATE)
        done += size
    oldest = max(0, done - SAMPLE_RATE)
    first = max(oldest, round(start * SAMPLE_RATE))
    last = min(done, round((start + length) * SAMPLE_RATE))
    cut = tape.cut(start, start + length)
    if cut is None:
        assert last - first <= 1
        return
    samples, begins = cut
    at = round(begins * SAMPLE_RATE)
    assert abs(at - first) <= 1
    assert abs(at + len(samples) - last) <= 1
    np.testing.assert_array_equal(samples, (whole[at : at + len(samples)] * 32767).astype(np.int16))


def test_samples_beyond_full_scale_and_nan_are_kept_as_sound() -> None:
    tape = Tape()
    tape.switch(on=True)
    tape.push(np.array([2.0, -2.0, np.nan, np.inf] * SAMPLE_RATE, np.float32), 0.0)
    cut = tape.cut(0.0, 4.0)
    assert cut is not None
    assert cut[0][:3].tolist() == [32767, -32767, 0]


class Ear:
    """Cuts from the tape while a detection begins, as a clip is cut."""

    def __init__(self, tape: Tape) -> None:
        self.tape = tape
        self.cuts: list[tuple[Floats, float]] = []

    def on_event(self, event: SoundEvent) -> None:
        if event.phase is Phase.START:
            now = time.monotonic()
            if (cut := self.tape.cut(now - 10.0, now)) is not None:
                self.cuts.append(((cut[0] / 32767).astype(np.float32), cut[1]))

    def on_taught(self, event: TaughtEvent, onset: datetime) -> None:
        """Nobody teaches."""

    def on_health(self, health: Health) -> None:
        """Nobody asks."""

    def on_level(self, level: Level) -> None:
        """Nobody asks."""


def wait_until(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_what_was_heard_before_a_detection_is_on_the_tape_and_forgotten_when_nobody_listens() -> None:
    tape = Tape()
    tape.switch(on=True)
    ear = Ear(tape)
    sound = np.concatenate((silence(1.0), noise(0.4), silence(30.0)))
    pipeline = Pipeline(open_samples(sound, "a shot"), LoudnessClassifier(), settings(), ear, tape=tape)
    pipeline.start()
    try:
        wait_until(lambda: ear.cuts)
        heard, _ = ear.cuts[0]
        np.testing.assert_allclose(heard, sound[: len(heard)], atol=1e-4)
        assert len(heard) > SAMPLE_RATE  # the second before the shot is there
        pipeline.configure(settings(listening=False))
        wait_until(lambda: tape.cut(0.0, time.monotonic()) is None)
    finally:
        pipeline.stop()
        assert pipeline.join(5)
