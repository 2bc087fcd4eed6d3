"""The worker thread: detections with the time of their sound, health, the owner's wishes, and no silent death."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
import time

import numpy as np
import pytest
import soundfile

from echonet_satellite import pipeline as pipeline_module
from echonet_satellite.audio import AudioError, Block, DeviceMissingError, SourceEnded, SourceKind
from echonet_satellite.audio.playback import Playback, open_file, open_samples
from echonet_satellite.classify import find
from echonet_satellite.pipeline import Pipeline
from echonet_satellite.protocol import Phase, Problem, Sensitivity, SoundClass
from tests.support.hearing import RATE, Ear, LoudnessClassifier, WindowClassifier, noise, settings, silence

BLOCK = RATE * 80 // 1000


def shots(count: int) -> list[np.ndarray]:
    """Return blocks: so many times half a second of quiet, and a bang."""
    return [*[silence(0.08)] * 6, *[noise(0.08)] * 8] * count


class Script:
    """A microphone whose every read does what the test says; when that is over, it is quiet, in real time."""

    kind = SourceKind.MICROPHONE
    name = "the scripted microphone"

    def __init__(self, *actions: np.ndarray | Exception | None, open_errors: int = 0) -> None:
        self.actions = list(actions)
        self.open_errors = open_errors
        self.opened = self.closed = 0
        self.dropped_blocks = 0
        self._quiet = silence(0.08)
        self._is_open = False

    def open(self) -> None:
        if self._is_open:
            return
        if self.open_errors:
            self.open_errors -= 1
            raise DeviceMissingError("there is no microphone")
        self.opened += 1
        self._is_open = True

    def read(self, timeout: float) -> Block | None:
        assert self._is_open
        self._quiet = np.roll(self._quiet, 1)
        action = self.actions.pop(0) if self.actions else self._quiet
        if isinstance(action, Exception):
            raise action
        if action is None:
            time.sleep(timeout / 10)
            return None
        time.sleep(0.005)
        return Block(action.astype(np.float32), time.monotonic() - len(action) / RATE)

    def close(self) -> None:
        self.closed += self._is_open
        self._is_open = False


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not wait for seconds in a test."""
    monkeypatch.setattr(pipeline_module, "_RETRY_S", (0.02,))


@pytest.fixture
def ear() -> Ear:
    """Who is told."""
    return Ear()


@pytest.fixture
def start(ear: Ear) -> Iterator[Callable[..., Pipeline]]:
    """Start a pipeline, and stop it after the test."""
    running: list[Pipeline] = []

    def begin(
        source: object,
        classifier: LoudnessClassifier | None = None,
        *,
        watched: bool = True,
        **wishes: object,
    ) -> Pipeline:
        pipeline = Pipeline(
            source,  # type: ignore[arg-type]
            classifier or LoudnessClassifier(),
            settings(**wishes),  # type: ignore[arg-type]
            ear,
        )
        pipeline.watch(watched)
        pipeline.start()
        running.append(pipeline)
        return pipeline

    yield begin
    for pipeline in running:
        pipeline.stop()
        assert pipeline.join(2.0)


def test_a_detection_has_the_time_of_its_sound(ear: Ear, start: Callable[..., Pipeline]) -> None:
    sound = np.concatenate((silence(0.84), noise(0.16), silence(0.76)))
    begun = datetime.now(UTC)
    pipeline = start(open_samples(sound, "a shot"))
    assert pipeline.join(10)
    late_s = (datetime.now(UTC) - begun).total_seconds() - len(sound) / RATE
    first, last = ear.events[0], ear.events[-1]
    assert (first.phase, last.phase) == (Phase.START, Phase.END)
    assert first.sound_class is SoundClass.GUNSHOT
    assert {(event.id, event.onset) for event in ear.events} == {(first.id, first.onset)}
    assert len(first.id) == 32
    onset_s = (first.onset - begun).total_seconds()
    # Not the time when it was told, which is a step and a half later; but a slow machine may start late.
    assert 0.7 < onset_s < 0.9 + max(0.0, late_s)
    assert first.confidence == pytest.approx(0.95)
    assert -6 < first.peak_dbfs <= 0
    assert 0.1 < last.duration_s < 0.5


def microphone(sound: np.ndarray) -> Playback:
    """Return a microphone that hears a sound."""
    blocks = np.split(sound.astype(np.float32), range(BLOCK, len(sound), BLOCK))
    return Playback(SourceKind.MICROPHONE, "the microphone", lambda: iter(blocks))


def test_a_microphone_that_is_switched_on_is_no_shot(ear: Ear, start: Callable[..., Pipeline]) -> None:
    """It goes from nothing to the noise of the room; a shot later on is one."""
    sound = np.concatenate((noise(0.16), silence(1.8), noise(0.16), silence(0.8)))
    begun = datetime.now(UTC)
    assert start(microphone(sound)).join(10)
    (started,) = [event for event in ear.events if event.phase is Phase.START]
    assert {event.id for event in ear.events} == {started.id}
    assert started.sound_class is SoundClass.GUNSHOT
    assert (started.onset - begun).total_seconds() > 1.5


def test_a_shot_soon_after_a_microphone_was_switched_on_is_heard(
    ear: Ear, start: Callable[..., Pipeline]
) -> None:
    """Although the network hears a bang all the time: that of the start is still in its window."""
    sound = np.concatenate((noise(0.16), silence(0.84), noise(0.16), silence(0.8)))
    begun = datetime.now(UTC)
    assert start(microphone(sound), WindowClassifier()).join(10)
    (started,) = [event for event in ear.events if event.phase is Phase.START]
    assert (started.onset - begun).total_seconds() > 0.9


def test_a_file_that_begins_with_a_bang_is_heard_as_it_is_by_who_classifies_it(
    ear: Ear, start: Callable[..., Pipeline], tmp_path: Path
) -> None:
    path = tmp_path / "bang.wav"
    soundfile.write(path, np.concatenate((noise(0.2), silence(1.4))), RATE)
    assert start(open_file(path)).join(10)
    (found,) = find(path, LoudnessClassifier(), Sensitivity.MEDIUM)
    (started,) = [event for event in ear.events if event.phase is Phase.START]
    assert started.sound_class is found.sound_class is SoundClass.GUNSHOT
    assert ear.events[-1].duration_s == pytest.approx(found.end_s - found.onset_s, abs=0.011)


def test_a_sound_at_the_very_end_of_a_file_is_heard(ear: Ear, start: Callable[..., Pipeline]) -> None:
    assert start(open_samples(np.concatenate((silence(0.5), noise(0.05))), "a shot")).join(10)
    assert [event.phase for event in ear.events] == [Phase.START, Phase.END]


def test_the_onset_is_right_although_blocks_come_late(ear: Ear) -> None:
    # A sound server hands over blocks in bursts, and the clock of the wall is set while a detection lasts.
    class Bursts(Script):
        kind = SourceKind.FILE
        given = 0

        def read(self, timeout: float) -> Block | None:  # noqa: ARG002
            if not self.actions:
                raise SourceEnded("over")
            block = self.actions.pop(0)
            assert isinstance(block, np.ndarray)
            captured = 1000.0 + self.given * 0.08 + (0.0 if self.given % 4 == 0 else 0.3)
            self.given += 1
            return Block(block, captured)

    sound = np.concatenate((silence(1.32), noise(0.4), silence(0.92)))
    source = Bursts(*np.split(sound, len(sound) // BLOCK))
    walls = iter(datetime(2026, 1, day, tzinfo=UTC) for day in range(1, 28))
    pipeline = Pipeline(
        source, LoudnessClassifier(), settings(), ear, monotonic=lambda: 1005.0, utc_now=lambda: next(walls)
    )
    pipeline.start()
    assert pipeline.join(10)
    age_s = 5.0 - 1.32
    expected = datetime(2026, 1, 1, tzinfo=UTC) - timedelta(seconds=age_s)
    for event in ear.events:
        assert abs((event.onset - expected).total_seconds()) < 0.003
    assert ear.events[-1].phase is Phase.END


def test_after_lost_blocks_the_clock_is_found_again(ear: Ear) -> None:
    class Lossy(Script):
        given = 0

        def read(self, timeout: float) -> Block | None:  # noqa: ARG002
            if not self.actions:
                raise SourceEnded("over")
            block = self.actions.pop(0)
            assert isinstance(block, np.ndarray)
            if self.given == 5:
                self.dropped_blocks = 25  # two seconds are missing
            captured = 1000.0 + self.given * 0.08 + (2.0 if self.given >= 5 else 0.0)
            self.given += 1
            return Block(block, captured)

    sound = np.concatenate((silence(1.0), noise(0.16), silence(0.76)))
    now = datetime(2026, 1, 1, tzinfo=UTC)
    pipeline = Pipeline(
        Lossy(*np.split(sound, len(sound) // BLOCK)),
        LoudnessClassifier(),
        settings(),
        ear,
        monotonic=lambda: 1010.0,
        utc_now=lambda: now,
    )
    pipeline.start()
    assert pipeline.join(10)
    onset_s = 10 - (now - ear.events[0].onset).total_seconds()
    assert onset_s == pytest.approx(1.0 + 2.0, abs=0.003)
    assert Problem.BLOCKS_DROPPED in ear.problems
    assert ear.health[-1].dropped_blocks == 25


def test_a_missing_microphone_is_a_problem_until_it_is_back(
    ear: Ear, start: Callable[..., Pipeline], caplog: pytest.LogCaptureFixture
) -> None:
    source = Script(open_errors=3)
    start(source)
    ear.wait(lambda: Problem.MICROPHONE_MISSING in ear.problems)
    ear.wait(lambda: Problem.MICROPHONE_MISSING not in ear.problems)
    ear.wait(lambda: bool(ear.levels))
    assert source.opened == 1
    # It is said once, not with each attempt.
    assert caplog.text.count("there is no microphone; trying again") == 1
    assert "is heard again" in caplog.text


def test_a_microphone_that_vanishes_ends_what_was_heard_and_is_opened_again(
    ear: Ear, start: Callable[..., Pipeline]
) -> None:
    source = Script(*shots(1), AudioError("unplugged"), *shots(1))
    start(source)
    ear.wait(lambda: len([event for event in ear.events if event.phase is Phase.END]) == 2)
    assert Problem.MICROPHONE_MISSING in {problem for health in ear.health for problem in health.problems}
    starts = [event for event in ear.events if event.phase is Phase.START]
    assert len({event.id for event in starts}) == 2
    assert source.opened == 2


def test_a_recording_that_is_damaged_is_heard_up_to_there_and_once(
    ear: Ear, start: Callable[..., Pipeline], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Begun anew again and again, it would tell the same shot for ever."""
    path = tmp_path / "half.flac"
    soundfile.write(path, np.concatenate((silence(0.5), noise(0.3), silence(0.5), noise(2.0))), RATE)
    path.write_bytes(path.read_bytes()[:-20_000])
    assert start(open_file(path)).join(30)
    assert [event.phase for event in ear.events if event.phase is not Phase.UPDATE][:2] == [
        Phase.START,
        Phase.END,
    ]
    assert f"{path} is damaged after" in caplog.text
    assert "trying again" not in caplog.text


def test_a_microphone_that_gives_nothing_is_opened_again(
    ear: Ear, start: Callable[..., Pipeline], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline_module, "_FROZEN_AFTER_S", 0.1)
    source = Script(silence(0.08), *[None] * 5)
    start(source)
    ear.wait(lambda: Problem.MICROPHONE_MISSING in ear.problems)
    ear.wait(lambda: Problem.MICROPHONE_MISSING not in ear.problems)
    assert source.opened >= 2


@pytest.mark.parametrize("broken", ["classifier", "listener", "source"])
def test_an_unexpected_error_is_logged_told_and_survived(
    broken: str, ear: Ear, start: Callable[..., Pipeline], caplog: pytest.LogCaptureFixture
) -> None:
    classifier = LoudnessClassifier()
    first: list[np.ndarray | Exception | None] = [noise(0.08)] * 8
    if broken == "classifier":
        classifier.fail = 1
    elif broken == "listener":
        ear.broken = True
    else:
        first.insert(0, ZeroDivisionError("bug"))
    start(Script(*first, *[silence(0.08)] * 12, *[noise(0.08)] * 8), classifier)
    ear.wait(lambda: Problem.MICROPHONE_MISSING in ear.problems)
    ear.wait(lambda: any(event.phase is Phase.END for event in ear.events))
    ear.wait(lambda: Problem.MICROPHONE_MISSING not in ear.problems)
    assert "The hearing has failed and starts again" in caplog.text


def test_while_it_does_not_listen_the_microphone_is_closed(ear: Ear, start: Callable[..., Pipeline]) -> None:
    source = Script(*shots(80))
    pipeline = start(source)
    ear.wait(lambda: bool(ear.events))
    pipeline.configure(settings(listening=False))
    ear.wait(lambda: ear.events[-1].phase is Phase.END)
    deadline = time.monotonic() + 5
    while not source.closed and time.monotonic() < deadline:
        time.sleep(0.01)
    assert source.closed == 1
    told = len(ear.events)
    pipeline.configure(settings(listening=True))
    ear.wait(lambda: len(ear.events) > told)
    assert source.opened == 2
    assert not ear.problems


def test_what_does_not_listen_at_start_opens_nothing(ear: Ear, start: Callable[..., Pipeline]) -> None:
    source = Script(open_errors=1)
    pipeline = start(source, listening=False)
    time.sleep(0.1)
    assert not source.opened
    pipeline.configure(settings())
    ear.wait(lambda: bool(ear.levels))


def test_a_class_that_is_turned_off_ends_and_is_not_heard(ear: Ear, start: Callable[..., Pipeline]) -> None:
    pipeline = start(Script(*shots(80)))
    ear.wait(lambda: bool(ear.events))
    pipeline.configure(settings(gunshot=Sensitivity.OFF))
    ear.wait(lambda: ear.events[-1].phase is Phase.END)
    told = len(ear.events)
    heard = len(ear.levels)
    ear.wait(lambda: len(ear.levels) > heard + 1)
    assert len(ear.events) == told


def tone(hertz: float, *, seconds: float = 1.0) -> Playback:
    time_s = np.arange(round(seconds * RATE)) / RATE
    return open_samples((0.1 * np.sin(2 * np.pi * hertz * time_s)).astype(np.float32), "a tone")


def test_what_it_sounds_like_is_told_about_six_times_a_second(
    ear: Ear, start: Callable[..., Pipeline]
) -> None:
    start(tone(440.0)).join(10)
    assert 4 <= len(ear.levels) <= 6
    for level in ear.levels:
        assert level.rms_dbfs == pytest.approx(-23.0, abs=0.2)
        assert level.peak_dbfs == pytest.approx(-20.0, abs=0.1)
        assert set(level.probabilities) == set(SoundClass)
        assert all(0 <= value <= 1 for value in level.probabilities.values())


def test_the_spectrogram_shows_a_high_tone_above_a_deep_one(ear: Ear, start: Callable[..., Pipeline]) -> None:
    loudest = []
    for hertz in (300.0, 3000.0):
        ear.levels.clear()
        start(tone(hertz, seconds=0.6)).join(10)
        bands = ear.levels[-1].bands_dbfs
        assert len(bands) == 32
        assert max(bands) == pytest.approx(-20, abs=4)
        loudest.append(bands.index(max(bands)))
    assert loudest[0] < loudest[1]


def test_a_class_that_is_off_has_no_threshold_to_reach(ear: Ear, start: Callable[..., Pipeline]) -> None:
    start(tone(440.0, seconds=0.6), dog=Sensitivity.OFF).join(10)
    assert set(ear.levels[-1].thresholds) == set(SoundClass) - {SoundClass.DOG}


def test_without_anybody_who_watches_no_level_is_told(ear: Ear, start: Callable[..., Pipeline]) -> None:
    start(tone(440.0), watched=False).join(10)
    assert not ear.levels


@pytest.mark.parametrize("state", ["hearing", "not listening", "without a microphone"])
def test_stops_at_once(state: str, ear: Ear, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline_module, "_RETRY_S", (60.0,))
    source = Script(open_errors=1 if state == "without a microphone" else 0)
    pipeline = Pipeline(source, LoudnessClassifier(), settings(listening=state != "not listening"), ear)
    pipeline.start()
    time.sleep(0.1)
    assert not pipeline.join(0)
    pipeline.stop()
    assert pipeline.join(1.0)
    assert source.opened == source.closed
