"""The journal keeps what it has taken, whatever happens to the process or to the file."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
import os
from pathlib import Path
import sqlite3
import threading

import pytest

from echonet_satellite import journal_writer
from echonet_satellite.errors import JournalError
from echonet_satellite.journal import Journal
from echonet_satellite.protocol import AlarmPattern, Detection, LoudNoise, Phase, SoundClass, Verdict

DAY = 86400.0


class Clock:
    """A clock that stands still until it is moved."""

    now = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal.sqlite3"


@pytest.fixture
def journal(path: Path, clock: Clock) -> Iterator[Journal]:
    opened = Journal(path, clock=clock)
    yield opened
    opened.close()


def detection(identifier: str = "a", phase: Phase = Phase.START) -> Detection:
    return Detection(
        id=identifier,
        sequence=1,
        sound_class=SoundClass.ALARM,
        phase=phase,
        onset=datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC),
        confidence=0.75,
        peak_dbfs=-12.5,
        duration_s=1.25,
        pattern=AlarmPattern.T3,
    )


def noise(identifier: str = "n", phase: Phase = Phase.START) -> LoudNoise:
    return LoudNoise(id=identifier, phase=phase, onset=datetime(2026, 1, 2, tzinfo=UTC), peak_dbfs=-3.0)


def pending(journal: Journal, controller: str = "home") -> list[Detection]:
    """Return the detections that a controller has not acknowledged."""
    kept = journal.pending(controller, up_to=journal.last_sequence)
    return [message for message in kept if isinstance(message, Detection)]


def test_what_is_taken_comes_back_whole(journal: Journal) -> None:
    kept = journal.append(detection())
    (back,) = pending(journal)
    assert back.replayed
    assert not kept.replayed
    assert (back.id, back.onset, back.pattern, back.sequence) == (
        kept.id,
        kept.onset,
        kept.pattern,
        kept.sequence,
    )


def test_numbers_grow_by_one_and_go_on_after_a_restart(journal: Journal, path: Path, clock: Clock) -> None:
    numbers = [journal.append(detection(str(index))).sequence for index in range(3)]
    assert numbers == [numbers[0], numbers[0] + 1, numbers[0] + 2]
    journal.close()
    again = Journal(path, clock=clock)
    assert again.append(detection("b")).sequence == numbers[-1] + 1
    again.close()


def test_a_new_journal_counts_above_a_lost_one(tmp_path: Path, clock: Clock) -> None:
    old = Journal(tmp_path / "old", clock=clock)
    last = [old.append(detection(str(index))).sequence for index in range(50)][-1]
    old.close()
    clock.now += 60
    new = Journal(tmp_path / "new", clock=clock)
    assert new.append(detection()).sequence > last
    new.close()


def test_each_controller_has_its_own_place(journal: Journal) -> None:
    kept = [journal.append(detection(name)) for name in "abc"]
    journal.acknowledge("home", kept[1].sequence)
    assert [item.id for item in pending(journal)] == ["c"]
    assert [item.id for item in pending(journal, "other")] == ["a", "b", "c"]
    journal.acknowledge("home", kept[0].sequence)
    assert [item.id for item in pending(journal)] == ["c"]
    journal.forget_controller("home")
    assert [item.id for item in pending(journal)] == ["a", "b", "c"]


def test_no_acknowledgement_of_what_does_not_exist_yet(journal: Journal) -> None:
    journal.append(detection("a"))
    journal.acknowledge("home", 2**52)
    journal.append(detection("b"))
    assert [item.id for item in pending(journal)] == ["b"]


def test_pending_comes_in_pieces(journal: Journal) -> None:
    kept = [journal.append(detection(str(index))) for index in range(5)]
    up_to = kept[3].sequence
    first = journal.pending("home", up_to=up_to, limit=3)
    rest = journal.pending("home", after=first[-1].sequence, up_to=up_to, limit=3)
    assert [item.id for item in first + rest] == ["0", "1", "2", "3"]


def test_old_and_surplus_detections_are_forgotten_except_labelled_ones(path: Path, clock: Clock) -> None:
    journal = Journal(path, clock=clock, keep_days=30, keep_count=10)
    journal.append(detection("labelled"))
    assert journal.label("labelled", Verdict.FALSE_ALARM)
    journal.append(detection("old"))
    clock.now += 31 * DAY
    for index in range(15):
        journal.append(detection(str(index)))
    journal.close()
    journal = Journal(path, clock=clock, keep_days=30, keep_count=10)
    assert [item.id for item in pending(journal)] == ["labelled", *(str(index) for index in range(5, 15))]
    journal.acknowledge("home", journal.last_sequence)
    clock.now += 31 * DAY
    journal.close()
    journal = Journal(path, clock=clock, keep_days=30, keep_count=10)
    assert [item.id for item in pending(journal, "other")] == ["labelled"]
    journal.close()


def test_a_running_journal_does_not_grow_for_ever(path: Path, clock: Clock) -> None:
    journal = Journal(path, clock=clock, keep_count=10)
    for index in range(450):
        journal.append(detection(str(index)))
    count = sqlite3.connect(path).execute("SELECT count(*) FROM detections").fetchone()[0]
    assert count < 300
    journal.close()


def test_a_loud_noise_is_kept_until_it_is_acknowledged(journal: Journal, path: Path, clock: Clock) -> None:
    first = journal.append(detection())
    second = journal.append(noise())
    assert second.sequence == first.sequence + 1
    journal.close()
    again = Journal(path, clock=clock)
    assert again.unfinished() == [first, second]
    kept = again.pending("home", up_to=again.last_sequence)
    assert kept == [replace(first, replayed=True), replace(second, replayed=True)]
    again.acknowledge("home", first.sequence)
    assert again.pending("home", up_to=again.last_sequence) == kept[1:]
    again.close()


def test_a_loud_night_does_not_push_out_what_nobody_has_been_told(
    path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_writer, "KEEP_NOISES", 20)
    journal = Journal(path, keep_count=100, clock=clock)
    shot = journal.append(detection("shot"))
    for number in range(450):
        journal.append(noise(str(number)))
    journal.close()
    again = Journal(path, keep_count=100, clock=clock)
    kept = again.pending("home", up_to=again.last_sequence)
    again.close()
    assert kept[0] == replace(shot, replayed=True)
    assert len(kept) == 21
    assert isinstance(kept[-1], LoudNoise)
    assert kept[-1].id == "449"


def test_labels(journal: Journal) -> None:
    journal.append(detection("a"))
    assert journal.label("a", Verdict.CORRECT)
    assert journal.label("a", Verdict.FALSE_ALARM)
    assert not journal.label("unknown", Verdict.CORRECT)
    assert journal.labels() == {"a": Verdict.FALSE_ALARM}


def test_what_has_no_end(journal: Journal) -> None:
    journal.append(detection("ended"))
    journal.append(detection("open"))
    journal.append(detection("ended", Phase.END))
    last = journal.append(detection("open", Phase.UPDATE))
    (found,) = journal.unfinished()
    assert (found.id, found.sequence, found.phase) == ("open", last.sequence, Phase.UPDATE)


@pytest.mark.parametrize("content", [b"", b"not a database", b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_damaged_file_is_set_aside(path: Path, clock: Clock, content: bytes) -> None:
    path.write_bytes(content)
    journal = Journal(path, clock=clock)
    journal.append(detection())
    assert len(pending(journal)) == 1
    journal.close()
    aside = [item for item in path.parent.iterdir() if "damaged" in item.name]
    assert [item.read_bytes() for item in aside] == ([content] if content else [])


def test_damage_in_the_middle_is_found_at_the_start(path: Path, clock: Clock) -> None:
    journal = Journal(path, clock=clock)
    for index in range(200):
        journal.append(detection(str(index)))
    journal.close()
    data = bytearray(path.read_bytes())
    data[8192:20000] = os.urandom(20000 - 8192)
    path.write_bytes(data)
    journal = Journal(path, clock=clock)
    saved = {item.id for item in pending(journal)}
    assert saved <= {str(index) for index in range(200)}
    journal.append(detection())
    found = journal.pending("home", up_to=journal.last_sequence, limit=1000)
    assert {item.id for item in found} == {*saved, "a"}
    journal.close()
    assert any("damaged" in item.name for item in path.parent.iterdir())


def test_a_detection_from_a_newer_version_is_left_out(journal: Journal, path: Path) -> None:
    journal.append(detection("a"))
    journal.append(detection("b"))
    with sqlite3.connect(path) as database:
        database.execute("""UPDATE detections SET frame = '{"type": "new"}' WHERE id = 'a'""")
    journal.close()
    again = Journal(path)
    assert [item.id for item in pending(again)] == ["b"]
    again.close()


def test_a_closed_journal_refuses_and_stays_whole(journal: Journal, path: Path, clock: Clock) -> None:
    journal.append(detection("a"))
    journal.close()
    with pytest.raises(JournalError):
        journal.append(detection("b"))
    again = Journal(path, clock=clock)
    assert [item.id for item in pending(again)] == ["a"]
    again.close()
    assert not any("damaged" in item.name for item in path.parent.iterdir())


def test_only_the_owner_may_read(journal: Journal, path: Path) -> None:
    journal.append(detection())
    files = list(path.parent.iterdir())
    assert len(files) == 3  # the write-ahead log and its index too
    assert {item.stat().st_mode & 0o777 for item in files} == {0o600}
    journal.close()
    path.chmod(0o644)
    Journal(path).close()
    assert path.stat().st_mode & 0o777 == 0o600


def test_several_threads_write_at_once(journal: Journal) -> None:
    def write(name: str) -> None:
        for index in range(20):
            journal.append(detection(f"{name}{index}"))
            journal.acknowledge(name, 0)

    threads = [threading.Thread(target=write, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = pending(journal)
    assert len({item.sequence for item in found}) == len({item.id for item in found}) == 80
