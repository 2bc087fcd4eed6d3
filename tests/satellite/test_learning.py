"""From a verdict to a lesson, and back: in the satellite, over its socket and over its restarts."""

import asyncio
from pathlib import Path
import sqlite3
import threading

import numpy as np
import pytest

from echonet_satellite.errors import LearningError
from echonet_satellite.learning.learner import STORE_FILE, Learner
from echonet_satellite.learning.lessons import MAX_LESSONS
from echonet_satellite.learning.sounds import MAX_EXAMPLES, MAX_SOUNDS, Listening, Sound
from echonet_satellite.learning.store import KEEP_TRACES, KeptLesson, LearningStore, Trace
from echonet_satellite.protocol import (
    AlarmPattern,
    Configure,
    Forget,
    Label,
    Learning,
    Lesson,
    LessonOutcome,
    Message,
    Phase,
    Snapshot,
    SoundClass,
    Taught,
    Teach,
    TeachHint,
    TeachOutcome,
    Verdict,
)
from tests.support.hearing import RATE
from tests.support.learning import embeddings, learner_in, tone
from tests.support.raw import Raw
from tests.support.satellite import SatelliteUnderTest, running_satellite

NOTHING = Learning(false_alarms={})


class Heard:
    """What the pipeline tells of a detection."""

    pattern = None

    def __init__(
        self, name: str, sound_class: SoundClass, phase: Phase, embeddings: np.ndarray | None
    ) -> None:
        self.id = name
        self.sound_class = sound_class
        self.phase = phase
        self.embeddings = embeddings


def event(name: str, sound_class: SoundClass, seed: int, phase: Phase = Phase.END) -> Heard:
    return Heard(name, sound_class, phase, embeddings(seed))


def hear(satellite: SatelliteUnderTest, seed: int, pattern: AlarmPattern | None = None) -> str:
    """Let the satellite take something for an alarm, and return the detection."""
    sound = embeddings(seed)
    name = satellite.emit(SoundClass.ALARM, Phase.START, embeddings=sound, pattern=pattern)
    satellite.emit(SoundClass.ALARM, Phase.END, id=name, embeddings=sound, pattern=pattern)
    return name


def silences(learner: Learner | None, seed: int) -> bool:
    """Whether an alarm of this sound would be silenced."""
    assert learner is not None
    row = [0.9] * len(SoundClass)
    return list(SoundClass).index(SoundClass.ALARM) in learner.learned.silences(row, embeddings(seed)[0])


async def judge(satellite: SatelliteUnderTest, name: str, verdict: Verdict = Verdict.FALSE_ALARM) -> None:
    await satellite.station.learning.label(Label(detection_id=name, verdict=verdict))


async def test_a_verdict_over_the_socket_is_learned_from_and_answered(
    satellite: SatelliteUnderTest, raw: Raw
) -> None:
    assert (await raw.greet()).learning == NOTHING
    assert satellite.station.welcome().learns
    name = hear(satellite, 1)
    await raw.take()
    await raw.take()
    await raw.send(Label(detection_id=name, verdict=Verdict.FALSE_ALARM))
    assert await raw.take() == Lesson(detection_id=name, outcome=LessonOutcome.LEARNED)
    snapshot = await raw.take()
    assert isinstance(snapshot, Snapshot)
    assert snapshot.learning.false_alarms == {SoundClass.ALARM: 1}
    assert silences(satellite.learner, 1)
    await raw.send(Forget(false_alarms=True))
    snapshot = await raw.take()
    assert isinstance(snapshot, Snapshot)
    assert snapshot.learning.false_alarms == {}
    assert not silences(satellite.learner, 1)


async def test_a_detection_that_goes_on_can_be_judged_already(satellite: SatelliteUnderTest) -> None:
    name = satellite.emit(SoundClass.ALARM, Phase.START, embeddings=embeddings(1))
    await judge(satellite, name)
    assert silences(satellite.learner, 1)


async def test_what_was_learned_survives_a_restart_and_a_changed_mind_does_too(tmp_path: Path) -> None:
    async with running_satellite(tmp_path) as satellite:
        name = hear(satellite, 1)
        await judge(satellite, name)
        await satellite.stop()
        await satellite.start()
        assert silences(satellite.learner, 1)
        await judge(satellite, name, Verdict.CORRECT)
        assert not silences(satellite.learner, 1)
        await satellite.stop()
        await satellite.start()
        assert not silences(satellite.learner, 1)
        assert satellite.journal.labels() == {name: Verdict.CORRECT}


@pytest.mark.parametrize("pattern", [AlarmPattern.T3, AlarmPattern.T4])
async def test_a_verdict_on_a_smoke_or_co_alarm_is_kept_and_not_learned_from(
    satellite: SatelliteUnderTest, pattern: AlarmPattern
) -> None:
    told: list[Message] = []
    satellite.station.subscribe(told.append)
    name = hear(satellite, 1, pattern)
    await judge(satellite, name)
    await satellite.station.end()
    assert not silences(satellite.learner, 1)
    assert satellite.learner is not None
    assert satellite.learner.summary == NOTHING
    assert satellite.journal.labels() == {name: Verdict.FALSE_ALARM}


async def test_a_pattern_that_becomes_known_after_the_start_counts(satellite: SatelliteUnderTest) -> None:
    """An alarm begins as unknown; that it was smoke is known at its end, and then it cannot be unlearned."""
    name = satellite.emit(SoundClass.ALARM, Phase.START, embeddings=embeddings(1))
    satellite.emit(SoundClass.ALARM, Phase.END, id=name, embeddings=embeddings(1), pattern=AlarmPattern.T3)
    assert satellite.learner is not None
    assert satellite.learner.judge(name, Verdict.FALSE_ALARM) is LessonOutcome.REFUSED_SMOKE


def test_two_verdicts_on_one_detection_are_one_lesson_and_the_oldest_lessons_go(tmp_path: Path) -> None:
    learner = learner_in(tmp_path)
    learned = 0
    for number in range(MAX_LESSONS + 10):
        name = list(SoundClass)[number % len(SoundClass)]
        learner.keep(event(str(number), name, number))
        for _ in range(2):
            learned += learner.judge(str(number), Verdict.FALSE_ALARM) is LessonOutcome.LEARNED
        assert sum(learner.summary.false_alarms.values()) <= MAX_LESSONS
    assert learned >= MAX_LESSONS
    before = learner.summary
    learner.close()
    again = learner_in(tmp_path)
    assert again.summary == before
    again.close()


def test_of_an_unknown_or_forgotten_detection_nothing_is_learned(tmp_path: Path) -> None:
    learner = learner_in(tmp_path)
    assert learner.judge("nobody", Verdict.FALSE_ALARM) is LessonOutcome.NOT_KEPT
    assert learner.judge("nobody", Verdict.CORRECT) is LessonOutcome.NOTED
    learner.keep(event("first", SoundClass.DOG, 0))
    for number in range(KEEP_TRACES + 100):
        learner.keep(event(f"later {number}", SoundClass.DOG, number))
    assert learner.judge("first", Verdict.FALSE_ALARM) is LessonOutcome.NOT_KEPT
    assert learner.judge("later 1000", Verdict.FALSE_ALARM) is not LessonOutcome.NOT_KEPT
    learner.close()


def test_what_another_network_heard_means_nothing_to_this_one(tmp_path: Path) -> None:
    store = LearningStore(tmp_path / STORE_FILE)
    store.keep_trace(
        Trace(
            detection_id="1",
            model="f" * 64,
            sound_class=SoundClass.DOG,
            pattern=None,
            embeddings=embeddings(1),
        )
    )
    store.keep_lesson(
        KeptLesson(detection_id="2", sound_class=SoundClass.DOG, embeddings=embeddings(2)),
        "f" * 64,
        at_most=9,
    )
    store.close()
    learner = learner_in(tmp_path)
    assert learner.summary == NOTHING
    assert learner.judge("1", Verdict.FALSE_ALARM) is LessonOutcome.NOT_KEPT
    learner.close()


def test_a_damaged_file_is_set_aside_and_a_new_one_begun(tmp_path: Path) -> None:
    (tmp_path / STORE_FILE).write_bytes(b"this is no database" * 500)
    learner = learner_in(tmp_path)
    learner.keep(event("1", SoundClass.DOG, 1))
    assert learner.judge("1", Verdict.FALSE_ALARM) is LessonOutcome.LEARNED
    learner.close()
    assert list(tmp_path.glob(f"{STORE_FILE}.damaged-*"))
    assert (tmp_path / STORE_FILE).stat().st_mode & 0o077 == 0


def test_a_file_that_somebody_holds_costs_a_lesson_and_no_alarm(tmp_path: Path) -> None:
    learner = learner_in(tmp_path)
    learner.keep(event("1", SoundClass.DOG, 1))
    # A verdict comes after what was heard before it has been written.
    assert learner.judge("0", Verdict.FALSE_ALARM) is LessonOutcome.NOT_KEPT
    backup = sqlite3.connect(tmp_path / STORE_FILE, isolation_level=None)
    backup.execute("BEGIN EXCLUSIVE")
    learner.keep(event("2", SoundClass.DOG, 2))
    with pytest.raises(LearningError):
        learner.judge("1", Verdict.FALSE_ALARM)
    assert learner.summary == NOTHING
    with pytest.raises(LearningError):
        learner.forget_false_alarms()
    backup.close()
    assert learner.judge("1", Verdict.FALSE_ALARM) is LessonOutcome.LEARNED
    assert learner.judge("2", Verdict.FALSE_ALARM) is LessonOutcome.NOT_KEPT
    learner.close()


async def test_a_disk_that_hangs_costs_lessons_and_not_the_hearing(
    satellite: SatelliteUnderTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = threading.Event()
    keep = LearningStore.keep_trace

    def hang(store: LearningStore, trace: Trace) -> None:
        assert go_on.wait(60)
        keep(store, trace)

    monkeypatch.setattr(LearningStore, "keep_trace", hang)
    try:
        names = [await asyncio.to_thread(hear, satellite, seed) for seed in (1, 2, 3)]
    finally:
        go_on.set()
    # All of it was heard meanwhile, and can be learned from as soon as the disk goes on.
    assert satellite.learner is not None
    for name in names:
        assert satellite.learner.judge(name, Verdict.FALSE_ALARM) is not LessonOutcome.NOT_KEPT


async def test_a_satellite_without_a_reference_set_hears_and_keeps_verdicts(tmp_path: Path) -> None:
    async with running_satellite(tmp_path, learns=False) as satellite:
        name = hear(satellite, 1)
        await judge(satellite, name)
        await satellite.station.learning.forget(Forget(false_alarms=True))
        assert satellite.journal.labels() == {name: Verdict.FALSE_ALARM}
        assert not satellite.station.welcome().learns


async def teach(satellite: SatelliteUnderTest, samples: np.ndarray, name: str = "Doorbell") -> list[Message]:
    """Teach a sound, with what the microphone gives meanwhile, and return what was told."""
    told: list[Message] = []
    unsubscribe = satellite.station.subscribe(told.append)
    satellite.station.learning.teach(Teach(name=name), listening=satellite.station.settings.listening)
    assert satellite.learner is not None
    async with asyncio.timeout(20):
        while not any(isinstance(item, Snapshot) for item in told):
            satellite.learner.learned.recorder.push(samples)
            await asyncio.sleep(0.01)
            if told and isinstance(told[0], Taught) and told[0].outcome is not TeachOutcome.LISTENING:
                break
    unsubscribe()
    return told


async def test_three_recordings_make_a_sound_that_is_recognised_and_survives_a_restart(
    tmp_path: Path,
) -> None:
    async with running_satellite(tmp_path) as satellite:
        for number in range(3):
            told = await teach(satellite, tone(1000), "Doorbell" if number else "doorbell")
            outcomes = [(item.outcome, item.examples) for item in told if isinstance(item, Taught)]
            assert outcomes == [(TeachOutcome.LISTENING, 0), (TeachOutcome.LEARNED, number + 1)]
            (sound,) = satellite.station.snapshot().learning.sounds
            assert (sound.name, sound.examples, sound.ready) == ("doorbell", number + 1, number == 2)
        await satellite.stop()
        await satellite.start()
        (sound,) = satellite.station.snapshot().learning.sounds
        assert sound.ready
        assert recognised(satellite, 10) == {sound.id}
        assert recognised(satellite, 20) == set()
        await satellite.station.learning.forget(Forget(sounds=(sound.id, "no such sound")))
        assert recognised(satellite, 10) == set()
        assert satellite.station.snapshot().learning.sounds == ()


def recognised(satellite: SatelliteUnderTest, seed: int) -> set[str]:
    """The taught sounds that are heard in a second of a sound."""
    assert satellite.learner is not None
    listening = Listening(0.16)
    return {
        event.sound_id
        for embedding in np.tile(embeddings(seed), (2, 1))
        for event in satellite.learner.learned.recognise(listening, embedding)
    }


async def test_silence_teaches_nothing_and_a_satellite_that_may_not_listen_does_not(
    satellite: SatelliteUnderTest,
) -> None:
    told = await teach(satellite, np.zeros(8 * RATE, np.float32))
    assert [item.outcome for item in told if isinstance(item, Taught)] == [
        TeachOutcome.LISTENING,
        TeachOutcome.NOTHING_HEARD,
    ]
    await satellite.station.configure(Configure(listening=False))
    told = await teach(satellite, tone(1000))
    assert isinstance(told[0], Taught)
    assert told[0].outcome is TeachOutcome.NOT_LISTENING
    assert satellite.station.snapshot().learning.sounds == ()


async def test_one_sound_is_taught_at_a_time(satellite: SatelliteUnderTest) -> None:
    told: list[Message] = []
    satellite.station.subscribe(told.append)
    satellite.station.learning.teach(Teach(name="one"), listening=satellite.station.settings.listening)
    satellite.station.learning.teach(Teach(name="two"), listening=satellite.station.settings.listening)
    for _ in range(3):
        await asyncio.sleep(0)
    assert {(item.name, item.outcome) for item in told if isinstance(item, Taught)} == {
        ("one", TeachOutcome.LISTENING),
        ("two", TeachOutcome.BUSY),
    }


def test_no_more_sounds_and_recordings_than_a_satellite_can_keep(tmp_path: Path) -> None:
    learner = learner_in(tmp_path)
    school = learner.school
    for _ in range(MAX_EXAMPLES):
        assert school.teach("one", tone(1000)).outcome is TeachOutcome.LEARNED
    assert school.teach("one", tone(1000)).outcome is TeachOutcome.FULL
    for number in range(MAX_SOUNDS - 1):
        assert school.teach(f"sound {number}", tone(1000)).outcome is TeachOutcome.LEARNED
    assert school.teach("one too many", tone(1000)).outcome is TeachOutcome.FULL
    learner.close()


def test_what_is_worth_knowing_of_a_recording_is_said(tmp_path: Path) -> None:
    school = (learner := learner_in(tmp_path)).school
    assert [school.teach("Bell", tone(1000)).hint for _ in range(2)] == [None, None]
    # Another sound of the same name, by mistake.
    assert school.teach("Bell", tone(3000)).hint is TeachHint.UNLIKE
    assert school.teach("Click", tone(500)[2 * RATE :][: RATE // 20]).hint is TeachHint.SHORT
    learner.close()


def test_a_sound_outlives_the_network_that_it_was_taught_to(tmp_path: Path) -> None:
    learner = learner_in(tmp_path)
    for _ in range(3):
        learner.school.teach("Doorbell", tone(1000))
    learner.close()
    database = sqlite3.connect(tmp_path / STORE_FILE)
    with database:
        database.execute("UPDATE examples SET model = 'another', embeddings = x'00000000'")
    database.close()
    again = learner_in(tmp_path)
    again.school.wait()
    assert [sound.ready for sound in again.school.sounds] == [True]
    again.close()
    # It was heard anew once, and is known at the next start.
    later = learner_in(tmp_path)
    assert [sound.ready for sound in later.school.sounds] == [True]
    later.close()


def test_a_taught_sound_begins_with_the_mean_of_a_second_and_ends_after_a_while() -> None:
    sound = Sound(id="1", name="Doorbell", weights=np.array([1.0], np.float32), bias=0.0)
    listening = Listening(0.5)

    def push(score: float) -> list[Phase]:
        return [event.phase for event in listening.push([sound], np.array([score], np.float32))]

    assert [push(score) for score in (2.0, -3.0, 2.0, 2.0, 2.0)] == [[], [], [], [Phase.START], []]
    assert [push(-1.0) for _ in range(7)] == [[], [], [], [], [], [Phase.END], []]
    assert not push(0.5), "what is a little like it makes up for nothing"
    assert push(2.0) == [Phase.START]
    # What is no longer taught ends at once, as does what is heard when the sound is interrupted.
    assert [event.phase for event in listening.push([], np.array([2.0], np.float32))] == [Phase.END]
    push(2.0)
    push(2.0)
    assert [event.phase for event in listening.flush()] == [Phase.END]
