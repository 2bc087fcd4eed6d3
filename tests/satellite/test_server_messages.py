"""What a paired controller is told and may ask for: detections, also those it missed, settings, levels, tests."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime

import aiohttp

from echonet_satellite.codec import decode
from echonet_satellite.protocol import (
    Ack,
    Configure,
    Detection,
    Label,
    Lesson,
    LessonOutcome,
    Level,
    Message,
    Mute,
    Phase,
    Problem,
    Sensitivity,
    Snapshot,
    SoundClass,
    Test,
    TimeReply,
    TimeRequest,
    Verdict,
    Watch,
)
from tests.support.connections import connect
from tests.support.raw import Raw
from tests.support.satellite import SatelliteUnderTest


async def test_detections_are_told_as_they_happen(raw: Raw, satellite: SatelliteUnderTest) -> None:
    await raw.greet()
    identifier = satellite.emit("alarm", confidence=0.5)
    satellite.emit("alarm", "update", id=identifier, confidence=0.8, pattern="t3")  # type: ignore[arg-type]
    satellite.emit("alarm", "end", id=identifier, duration_s=4.0)
    told = [await raw.take() for _ in range(3)]
    assert all(isinstance(item, Detection) and item.id == identifier for item in told)
    detections = [item for item in told if isinstance(item, Detection)]
    assert [item.phase for item in detections] == [Phase.START, Phase.UPDATE, Phase.END]
    first = detections[0].sequence
    assert [item.sequence for item in detections] == [first, first + 1, first + 2]
    assert not any(item.replayed or item.test for item in detections)


async def test_what_is_going_on_is_in_the_snapshot(
    satellite: SatelliteUnderTest, session: aiohttp.ClientSession
) -> None:
    identifier = satellite.emit("fire")
    satellite.set_health(Problem.MICROPHONE_SILENT)
    await asyncio.sleep(0)
    snapshot = await Raw(session, satellite).greet()
    assert [item.id for item in snapshot.active] == [identifier]
    assert snapshot.health.problems == (Problem.MICROPHONE_SILENT,)
    satellite.emit("fire", "end", id=identifier)
    await asyncio.sleep(0)
    assert (await Raw(session, satellite).greet()).active == ()


async def test_what_was_missed_comes_again_and_only_until_it_is_acknowledged(
    satellite: SatelliteUnderTest, session: aiohttp.ClientSession
) -> None:
    tokens = [satellite.issue_token(name) for name in ("One", "Two")]
    first = Raw(session, satellite)
    await first.greet(tokens[0])
    identifiers = [satellite.emit("dog"), satellite.emit("scream")]
    told = [await first.take() for _ in identifiers]
    assert isinstance(told[0], Detection)
    await first.send(Ack(sequence=told[0].sequence))
    await first.socket.close()
    await satellite.wait_connected(0)

    again = Raw(session, satellite)
    await again.greet(tokens[0])
    missed = await again.take()
    assert isinstance(missed, Detection)
    assert (missed.id, missed.replayed) == (identifiers[1], True)

    # The other controller has acknowledged nothing; each has its own place in the journal.
    other = Raw(session, satellite)
    await other.greet(tokens[1])
    replayed = [await other.take() for _ in identifiers]
    assert [item.id for item in replayed if isinstance(item, Detection)] == identifiers
    live = satellite.emit("gunshot")
    for controller in (again, other):
        message = await controller.take()
        assert isinstance(message, Detection)
        assert (message.id, message.replayed) == (live, False)


async def test_an_acknowledgement_from_the_future_loses_nothing(
    satellite: SatelliteUnderTest, session: aiohttp.ClientSession
) -> None:
    token = satellite.issue_token()
    raw = Raw(session, satellite)
    await raw.greet(token)
    await raw.send(Ack(sequence=2**52))
    await raw.socket.close()
    await satellite.wait_connected(0)
    identifier = satellite.emit("dog")
    await raw.greet(token)
    missed = await raw.take()
    assert isinstance(missed, Detection)
    assert missed.id == identifier


async def test_a_new_controller_is_not_told_old_stories(
    satellite: SatelliteUnderTest, session: aiohttp.ClientSession
) -> None:
    satellite.emit("dog")
    raw = Raw(session, satellite)
    await raw.greet()
    live = satellite.emit("fire")
    message = await raw.take()
    assert isinstance(message, Detection)
    assert message.id == live


async def test_a_restart_of_the_satellite_loses_nothing(
    satellite: SatelliteUnderTest, session: aiohttp.ClientSession
) -> None:
    token = satellite.issue_token()
    identifier = satellite.emit("glass_break")
    await satellite.stop()
    port = satellite.port
    await satellite.start()
    assert satellite.port == port
    raw = Raw(session, satellite)
    snapshot = await raw.greet(token)
    assert snapshot.active == ()
    messages = [await raw.take(), await raw.take()]
    told = [(item.id, item.phase, item.replayed) for item in messages if isinstance(item, Detection)]
    assert told == [(identifier, Phase.START, True), (identifier, Phase.END, True)]


async def test_settings_are_changed_kept_and_told_to_all(
    satellite: SatelliteUnderTest, session: aiohttp.ClientSession
) -> None:
    one, two = Raw(session, satellite), Raw(session, satellite)
    before = await one.greet()
    await two.greet()
    assert before.settings.sensitivity == dict.fromkeys(SoundClass, Sensitivity.MEDIUM)
    await one.send(Configure(listening=False, sensitivity={SoundClass.DOG: Sensitivity.OFF}))
    for controller in (one, two):
        message = await controller.take()
        assert isinstance(message, Snapshot)
        settings = message.settings
        assert not message.settings.listening
        assert message.settings.sensitivity[SoundClass.DOG] is Sensitivity.OFF
        assert message.settings.sensitivity[SoundClass.FIRE] is Sensitivity.MEDIUM
    assert satellite.configured[-1] == settings
    await satellite.stop()
    await satellite.start()
    assert satellite.station.settings == settings


async def test_levels_only_for_who_watches(
    satellite: SatelliteUnderTest, session: aiohttp.ClientSession
) -> None:
    watching, other = Raw(session, satellite), Raw(session, satellite)
    await watching.greet()
    await other.greet()
    await watching.send(Watch(enabled=True))
    await watching.send(Mute(duration_s=0))  # a command with an answer-free end, to let the first one arrive
    async with asyncio.timeout(10):
        message: Message | None = None
        while message is None:
            satellite.set_level(-20.0)
            try:
                message = decode(await watching.socket.receive_str(timeout=0.05))
            except TimeoutError:
                continue
    assert isinstance(message, Level)
    identifier = satellite.emit("dog")
    first = await other.take()
    assert isinstance(first, Detection)
    assert first.id == identifier


async def test_nothing_is_computed_for_watchers_who_have_gone(
    satellite: SatelliteUnderTest, session: aiohttp.ClientSession
) -> None:
    async def told(*watched: bool) -> None:
        async with asyncio.timeout(10):
            while satellite.watched != list(watched):  # noqa: ASYNC110  # there is no event for it
                await asyncio.sleep(0.005)

    await told(False)
    first, second = Raw(session, satellite), Raw(session, satellite)
    for raw in (first, second):
        await raw.greet()
        # Who says it twice watches once.
        await raw.send(Watch(enabled=True))
        await raw.send(Watch(enabled=True))
    await told(False, True, True)
    await first.send(Watch(enabled=False))
    await told(False, True, True, True)
    await second.socket.close()
    await told(False, True, True, True, False)


async def test_a_test_detection_begins_and_ends(raw: Raw, satellite: SatelliteUnderTest) -> None:
    await raw.greet()
    await raw.send(Configure(listening=False))
    assert isinstance(await raw.take(), Snapshot)
    await raw.send(Test(sound_class=SoundClass.ALARM))
    start, end = await raw.take(), await raw.take()
    assert isinstance(start, Detection)
    assert isinstance(end, Detection)
    assert (start.phase, end.phase) == (Phase.START, Phase.END)
    assert start.test
    assert end.test
    assert start.id == end.id


async def test_a_test_of_a_room_names_it_if_the_satellite_hears_it(
    raw: Raw, satellite: SatelliteUnderTest
) -> None:
    await raw.greet()
    satellite.station.info = replace(satellite.station.info, rooms=("Kitchen", "Attic"))
    for asked, told in (("Attic", "Attic"), ("Moon", ""), ("", "")):
        await raw.send(Test(sound_class=SoundClass.ALARM, room=asked))
        start = await raw.take()
        assert isinstance(start, Detection)
        assert start.room == told
        await raw.take()


async def test_a_label_is_kept(raw: Raw, satellite: SatelliteUnderTest) -> None:
    await raw.greet()
    identifier = satellite.emit("gunshot")
    await raw.take()
    await raw.send(Label(detection_id="unknown", verdict=Verdict.CORRECT))
    await raw.send(Label(detection_id=identifier, verdict=Verdict.FALSE_ALARM))
    await raw.send(Configure())
    answers = [await raw.take(), await raw.take()]
    assert answers == [
        Lesson(detection_id=name, outcome=LessonOutcome.NOT_KEPT) for name in ("unknown", identifier)
    ]
    assert isinstance(await raw.take(), Snapshot)  # commands are obeyed one after the other
    assert satellite.journal.labels() == {identifier: Verdict.FALSE_ALARM}


async def test_the_time_is_told_by_the_clock_that_onsets_are_told_by(
    raw: Raw, satellite: SatelliteUnderTest
) -> None:
    satellite.utc = lambda: datetime(1970, 1, 2, tzinfo=UTC)
    await raw.greet()
    await raw.send(TimeRequest(number=7))
    assert await raw.take() == TimeReply(number=7, time_s=86_400.0)
    await raw.send(Test(sound_class=SoundClass.DOG))
    told = await raw.take()
    assert isinstance(told, Detection)
    assert told.onset == satellite.utc()


async def test_a_controller_is_told_that_it_may_ask_for_the_time(
    satellite: SatelliteUnderTest, session: aiohttp.ClientSession
) -> None:
    connection = await connect(session, satellite)
    assert connection.welcome.tells_time
    await connection.close()
