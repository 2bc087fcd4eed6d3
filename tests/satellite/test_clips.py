"""Clips from a detection to a controller: only when wanted, without talk, never in the way of an alarm."""

import asyncio
from datetime import UTC, datetime, timedelta
import io
import json
import os
from pathlib import Path
import shutil
import time
from typing import Any

import aiohttp
import numpy as np
import pytest
import soundfile

from echonet_satellite import child
from echonet_satellite.audio import SAMPLE_RATE
from echonet_satellite.clips import keeper, store
from echonet_satellite.clips.store import ClipStore
from echonet_satellite.frontend import Floats
from echonet_satellite.protocol import (
    PATH_CLIPS,
    Clip,
    ClipChange,
    ClipSettings,
    Configure,
    Detection,
    Snapshot,
    SoundClass,
    Talk,
)
from echonet_satellite.server import ClipRoutes, clip_routes
from echonet_satellite.server.door import STAY_S
from tests.support.raw import Raw
from tests.support.satellite import SatelliteUnderTest, running_satellite

ID = "0123456789abcdef0123456789abcdef"


def beeps(seconds: float) -> Floats:
    at = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    return (0.3 * np.sin(2 * np.pi * 3100 * at) * (at % 1.0 < 0.5)).astype(np.float32)


def talk(recordings: Path) -> Floats:
    from echonet_satellite.audio.file import read_blocks  # noqa: PLC0415

    found = sorted((recordings / "presence").rglob("*emotional_speech*")) or sorted(
        (recordings / "presence").rglob("*speech*")
    )
    if not found:
        pytest.skip("no recordings of talk")
    return np.resize(np.concatenate(list(read_blocks(found[0]))), 12 * SAMPLE_RATE).astype(np.float32)


async def switch_on(raw: Raw, **changes: Any) -> Snapshot:
    await raw.send(Configure(clips=ClipChange(enabled=True, **changes)))
    snapshot = await raw.take()
    assert isinstance(snapshot, Snapshot)
    return snapshot


async def next_clip(raw: Raw) -> Clip:
    async with asyncio.timeout(60):
        while True:
            message = await raw.take(within_s=60)
            if isinstance(message, Clip):
                return message


async def ask(
    session: aiohttp.ClientSession,
    satellite: SatelliteUnderTest,
    path: str = "",
    *,
    method: str = "GET",
    token: str | None = None,
) -> tuple[int, bytes]:
    headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
    url = f"https://127.0.0.1:{satellite.port}{PATH_CLIPS}{path}"
    async with session.request(method, url, headers=headers, ssl=False) as response:
        return response.status, await response.read()


def old_onset() -> datetime:
    """Return an onset of which the clip is due at once."""
    return datetime.now(UTC) - timedelta(seconds=6)


async def test_nothing_is_kept_unless_it_is_switched_on(raw: Raw, satellite: SatelliteUnderTest) -> None:
    snapshot = await raw.greet()
    assert snapshot.settings.clips is not None
    assert not snapshot.settings.clips.enabled
    satellite.hear(beeps(12))
    satellite.emit("alarm", onset=old_onset())
    await raw.take()
    assert not satellite.clips._wanted
    assert satellite.tape.cut(0, time.monotonic()) is None
    assert not (satellite.state / "clips").exists()


async def test_a_clip_is_five_seconds_before_to_five_seconds_after_and_can_be_fetched_and_deleted(
    raw: Raw, satellite: SatelliteUnderTest, session: aiohttp.ClientSession
) -> None:
    await raw.greet()
    token = satellite.issue_token()
    snapshot = await switch_on(raw, keep_days=30)
    assert snapshot.settings.clips is not None
    assert snapshot.settings.clips.enabled
    satellite.hear(beeps(13))
    onset = old_onset()
    identifier = satellite.emit("alarm", onset=onset)
    clip = await next_clip(raw)
    assert clip.detection_id == identifier
    assert clip.sound_class is SoundClass.ALARM
    assert clip.duration_s == pytest.approx(10.0, abs=0.1)
    assert clip.muted_s == 0.0
    status, body = await ask(session, satellite, token=token)
    listed = json.loads(body)["clips"]
    assert (status, [item["detection_id"] for item in listed]) == (200, [identifier])
    assert listed[0]["onset"] == onset.isoformat(timespec="milliseconds")
    status, sound = await ask(session, satellite, f"/{identifier}.flac", token=token)
    assert status == 200
    samples, rate = soundfile.read(io.BytesIO(sound))
    assert (rate, len(samples)) == (SAMPLE_RATE, round(clip.duration_s * SAMPLE_RATE))
    assert len(sound) == clip.size_bytes
    # The beeps lie where they lay: 13 s of them ended when they were heard, 6 s after the onset.
    envelope = np.abs(samples).reshape(-1, SAMPLE_RATE // 10).max(axis=1)
    assert (envelope > 0.2).mean() == pytest.approx(0.5, abs=0.1)
    status, picture = await ask(session, satellite, f"/{identifier}.png", token=token)
    assert status == 200
    assert picture.startswith(b"\x89PNG")
    for path in (satellite.state / "clips").iterdir():
        assert path.stat().st_mode & 0o077 == 0
    assert (await ask(session, satellite, f"/{identifier}", method="DELETE", token=token))[0] == 200
    assert (await ask(session, satellite, f"/{identifier}.flac", token=token))[0] == 404
    assert (await ask(session, satellite, f"/{identifier}", method="DELETE", token=token))[0] == 404
    assert not list((satellite.state / "clips").iterdir())


async def test_only_paired_controllers_get_a_clip(
    satellite: SatelliteUnderTest, session: aiohttp.ClientSession
) -> None:
    token = satellite.issue_token()
    for path, method in (("", "GET"), (f"/{ID}.flac", "GET"), (f"/{ID}.png", "GET"), ("", "DELETE")):
        for wrong in (None, "", "x" * 43, token[:-1]):
            assert (await ask(session, satellite, path, method=method, token=wrong))[0] == 401
    for path in (f"/{ID}.flac", f"/{ID}.png", "/..%2f..%2fjournal.sqlite3.flac", "/%00.png", "/*.flac"):
        assert (await ask(session, satellite, path, token=token))[0] == 404
    satellite.forget_controllers()
    assert (await ask(session, satellite, token=token))[0] == 401


async def test_only_the_classes_that_are_wanted_are_kept(raw: Raw, satellite: SatelliteUnderTest) -> None:
    await raw.greet()
    snapshot = await switch_on(raw, classes={SoundClass.DOG: False, SoundClass.FIRE: True})
    assert snapshot.settings.clips is not None
    assert not snapshot.settings.clips.classes[SoundClass.DOG]
    assert not snapshot.settings.clips.classes[SoundClass.PRESENCE]  # people talking: only if asked for
    satellite.hear(beeps(12))
    satellite.emit("dog", onset=old_onset())
    satellite.emit("presence", onset=old_onset())
    wanted = satellite.emit("fire", onset=old_onset())
    assert (await next_clip(raw)).detection_id == wanted
    assert len(satellite.clips.store.clips()) == 1


async def test_a_test_is_no_sound_and_has_no_clip(raw: Raw, satellite: SatelliteUnderTest) -> None:
    from echonet_satellite.protocol import Test  # noqa: PLC0415

    await raw.greet()
    await switch_on(raw)
    await raw.send(Test(sound_class=SoundClass.ALARM))
    assert isinstance(await raw.take(), Detection)
    assert not satellite.clips._wanted


async def test_talk_is_muted_or_the_clip_is_not_kept(
    raw: Raw, satellite: SatelliteUnderTest, recordings: Path
) -> None:
    await raw.greet()
    await switch_on(raw)
    satellite.hear(talk(recordings))
    muted = satellite.emit("scream", onset=old_onset())
    clip = await next_clip(raw)
    assert clip.muted_s > 3.0
    sound = satellite.clips.store.sound(muted)
    assert sound is not None
    samples, _ = soundfile.read(io.BytesIO(sound))
    assert (samples == 0.0).mean() > 0.3
    await switch_on(raw, talk=Talk.DROPPED)
    satellite.emit("scream", onset=old_onset())
    satellite.emit("scream", onset=old_onset())
    while satellite.clips._wanted or satellite.clips._child is not None:  # noqa: ASYNC110 - a thread has no event
        await asyncio.sleep(0.01)
    assert [item.detection_id for item in satellite.clips.store.clips()] == [muted]


async def test_settings_of_clips_last_over_a_restart(tmp_path: Path) -> None:
    async with running_satellite(tmp_path) as satellite:
        await satellite.station.configure(
            Configure(clips=ClipChange(enabled=True, keep_mb=50, classes={SoundClass.DOG: False}))
        )
        await satellite.stop()
        await satellite.start()
        clips = satellite.station.settings.clips
        assert clips is not None
        assert (clips.enabled, clips.keep_mb, clips.classes[SoundClass.DOG]) == (True, 50, False)
        await satellite.stop()
        path = satellite.state / "settings.json"
        data = json.loads(path.read_text())
        data["clips"] = {"enabled": True, "keep_days": 10**9}
        path.write_text(json.dumps(data))
        await satellite.start()
        clips = satellite.station.settings.clips
        assert clips is not None
        assert not clips.enabled  # what makes no sense keeps nothing


async def test_not_listening_forgets_what_waits(raw: Raw, satellite: SatelliteUnderTest) -> None:
    await raw.greet()
    await switch_on(raw)
    satellite.hear(beeps(12))
    satellite.emit("alarm")  # due in five seconds
    await raw.take()
    assert satellite.clips._wanted
    await raw.send(Configure(listening=False))
    while not isinstance(await raw.take(), Snapshot):
        pass
    assert not satellite.clips._wanted
    assert satellite.tape.cut(0, time.monotonic()) is None


async def test_deleting_all_also_takes_the_one_that_is_being_written(tmp_path: Path) -> None:
    clips = ClipStore(tmp_path / "clips")
    sound, picture, generation = clips.begin()
    sound.write_bytes(b"fLaC")
    clips.delete_all()
    picture.write_bytes(b"")
    assert clips.adopt(sound, picture, generation, a_clip()) is None
    assert clips.clips() == []


async def test_a_disk_that_hangs_delays_no_detection(
    raw: Raw, satellite: SatelliteUnderTest, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    from echonet_satellite.protocol import Ack  # noqa: PLC0415

    monkeypatch.setattr(clip_routes, "_MAX_WAITING", 4)
    await raw.greet()
    token = satellite.issue_token()
    await switch_on(raw)
    # Whoever writes holds the folder; everybody who wants a clip waits for it.
    with satellite.clips.store._lock:
        satellite.hear(beeps(12))
        for _ in range(40):
            satellite.emit("alarm", onset=old_onset())
        routes = satellite.server._services[0]
        assert isinstance(routes, ClipRoutes)
        waiting = []
        for count in range(1, 5):
            waiting.append(asyncio.create_task(ask(session, satellite, token=token)))
            while routes._waiting < count:  # noqa: ASYNC110 - a request has no event
                await asyncio.sleep(0.01)
        assert (await ask(session, satellite, token=token))[0] == 503
        sequence = 0
        for _ in range(40):
            message = await raw.take()
            assert isinstance(message, Detection)
            sequence = message.sequence
        await raw.send(Ack(sequence=sequence))

        # Acknowledgements use the threads that requests for clips must not.
        def acknowledged() -> bool:
            everybody = satellite.controllers.all
            return sequence in {satellite.journal.acknowledged(item.id) for item in everybody}

        while not acknowledged():  # noqa: ASYNC110 - the journal has no event
            await asyncio.sleep(0.01)
        assert len(satellite.clips._wanted) <= keeper._MAX_WAITING
    # Once the disk answers again, or after a while if it does not.
    answers = [status for status, _ in await asyncio.gather(*waiting)]
    assert set(answers) <= {200, 503}


async def test_a_full_disk_costs_clips_and_no_detection(
    raw: Raw,
    satellite: SatelliteUnderTest,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await raw.greet()
    await switch_on(raw)
    monkeypatch.setattr(store, "RESERVE_BYTES", 1 << 62)
    satellite.hear(beeps(12))
    satellite.emit("alarm", onset=old_onset())
    assert isinstance(await raw.take(), Detection)
    while "nearly full" not in caplog.text:  # noqa: ASYNC110 - a log has no event
        await asyncio.sleep(0.01)
    monkeypatch.setattr(store, "RESERVE_BYTES", 0)
    identifier = satellite.emit("alarm", onset=old_onset())
    assert (await next_clip(raw)).detection_id == identifier


async def test_a_child_that_dies_costs_one_clip(
    raw: Raw, satellite: SatelliteUnderTest, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await raw.greet()
    await switch_on(raw)
    satellite.hear(beeps(12))
    with monkeypatch.context() as broken:
        broken.setattr(child, "command", lambda *_: ["/bin/sh", "-c", "echo no more >&2; kill -9 $$"])
        satellite.emit("alarm", onset=old_onset())
        while "no more" not in caplog.text:  # noqa: ASYNC110 - a log has no event
            await asyncio.sleep(0.01)
    identifier = satellite.emit("alarm", onset=old_onset())
    assert (await next_clip(raw)).detection_id == identifier


def a_clip(number: int = 0, **changes: Any) -> Clip:
    values: dict[str, Any] = {
        "detection_id": f"{number:032x}",
        "sound_class": SoundClass.DOG,
        "onset": datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=number),
        "duration_s": 10.0,
    }
    return Clip(**values | changes)


def fill(folder: Path, count: int, size: int = 100) -> ClipStore:
    clips = ClipStore(folder)
    for number in range(count):
        sound, picture, generation = clips.begin()
        sound.write_bytes(b"fLaC" + bytes(size - 4))
        picture.write_bytes(b"\x89PNG")
        assert clips.adopt(sound, picture, generation, a_clip(number)) is not None
    return clips


def limits(**changes: Any) -> ClipSettings:
    return ClipSettings(enabled=True, classes={}, **changes)


def test_the_oldest_go_when_there_are_too_many(tmp_path: Path) -> None:
    clips = fill(tmp_path / "clips", 15, size=1 << 20)
    clips.prune(limits(keep_mb=10))
    assert [int(item.detection_id, 16) for item in clips.clips()] == list(range(14, 4, -1))
    assert len(list((tmp_path / "clips").iterdir())) == 20


def test_what_is_too_old_goes(tmp_path: Path) -> None:
    fill(tmp_path / "clips", 3)
    clips = ClipStore(tmp_path / "clips")  # after a restart only the dates of the files tell
    old, *_ = sorted((tmp_path / "clips").glob("*.flac"))
    weeks_ago = time.time() - 8 * 86400
    os.utime(old, (weeks_ago, weeks_ago))
    clips.prune(limits(keep_days=7))
    assert [int(item.detection_id, 16) for item in clips.clips()] == [2, 1]


def test_a_clock_that_is_set_neither_deletes_a_new_clip_nor_keeps_one_for_ever(tmp_path: Path) -> None:
    clips = fill(tmp_path / "clips", 2)
    first, second = sorted((tmp_path / "clips").glob("*.flac"))
    os.utime(first, (0, 0))  # written by a clock that had not been set yet
    ahead = time.time() + 5 * 365 * 86400
    os.utime(second, (ahead, ahead))
    clips.prune(limits(keep_days=7))
    assert len(clips.clips()) == 2
    for path in (first, second):
        assert abs(path.stat().st_mtime - time.time()) < 3600


def test_a_damaged_folder_heals(tmp_path: Path) -> None:
    folder = tmp_path / "clips"
    fill(folder, 4)
    paths = sorted(folder.glob("*.flac"))
    paths[0].write_bytes(b"")  # cut short by a loss of power
    paths[1].write_bytes(b"no sound at all")
    paths[2].with_suffix(".png").unlink()
    paths[3].unlink()  # and its picture is left alone
    (folder / ".flac.new").write_bytes(b"half a clip")
    (folder / "20260101T000000000Z_dog_x_1ms_1ms_muted.flac").write_bytes(b"fLaC")
    (folder / f"20269999T000000000Z_dog_{ID}_1ms_1ms_muted.flac").write_bytes(b"fLaC")
    (folder / f"20260101T000000000Z_dog_{ID}_1ms_1ms_muted.flac").mkdir()
    (folder / "holiday.flac").write_bytes(b"somebody's own")
    clips = ClipStore(folder)
    clips.heal()
    assert [int(item.detection_id, 16) for item in clips.clips()] == [2]
    assert (folder / "holiday.flac").exists()
    assert not (folder / ".flac.new").exists()
    assert not paths[3].with_suffix(".png").exists()
    shutil.rmtree(folder)
    clips.heal()
    assert clips.clips() == []
    folder.write_text("a file where the folder was")
    clips.heal()
    clips.begin()
    assert folder.is_dir()


def test_a_lost_picture_is_drawn_anew(tmp_path: Path) -> None:
    clips = ClipStore(tmp_path / "clips")
    sound, picture, generation = clips.begin()
    soundfile.write(sound, beeps(2), SAMPLE_RATE, format="FLAC")
    clips.adopt(sound, picture, generation, a_clip(1))  # the picture is empty
    drawn = clips.picture(a_clip(1).detection_id)
    assert drawn is not None
    assert drawn.startswith(b"\x89PNG")


async def test_a_satellite_stops_without_waiting_for_those_who_are_connected(
    raw: Raw, satellite: SatelliteUnderTest, session: aiohttp.ClientSession
) -> None:
    await raw.greet()
    assert (await ask(session, satellite, token=satellite.issue_token()))[0] == 200
    async with asyncio.timeout(STAY_S / 2):
        await satellite.stop()
