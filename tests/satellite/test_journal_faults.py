"""What the journal does where disk, file, clock or other processes fail: nothing that was heard is lost."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
import os
from pathlib import Path
import sqlite3
import time

import pytest

from echonet_satellite import journal_trouble
from echonet_satellite.journal import Journal
from echonet_satellite.protocol import Problem, Verdict
from tests.support.disks import Disk, hanging_disk, held_by_another_process, small_disk
from tests.support.kills import run_rounds
from tests.support.writers import detection, writer

DAY = 86400.0


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    with small_disk(tmp_path / "disk") as mounted:
        yield mounted


@contextmanager
def opened(path: Path, clock: Callable[[], float] = time.time) -> Iterator[Journal]:
    journal = Journal(path, clock=clock, retry_s=0.05, look_s=0.05)
    try:
        yield journal
    finally:
        journal.close()


def write(journal: Journal, *names: str) -> list[int]:
    return [journal.append(detection(name)).sequence for name in names]


def pending(journal: Journal, controller: str = "home") -> list[str]:
    found = journal.pending(controller, up_to=journal.last_sequence, limit=100_000)
    assert len({item.sequence for item in found}) == len(found)
    return [item.id for item in found]


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def healthy(journal: Journal) -> bool:
    return journal.problem is None and journal.unsaved == 0


def test_with_the_disk_full_and_nobody_connected_nothing_is_lost(disk: Disk) -> None:
    path = disk.path / "journal"
    with opened(path) as journal:
        write(journal, "before")
        disk.fill()
        names = [str(number) for number in range(300)]
        write(journal, *names)
        wait_for(lambda: journal.problem is Problem.DISK_FULL)
        assert pending(journal) == ["before", *names]
        disk.free()
        wait_for(lambda: healthy(journal))
    with opened(path) as journal:
        assert pending(journal) == ["before", *names]


def test_a_full_disk_is_told_before_anything_is_heard(disk: Disk) -> None:
    with opened(disk.path / "journal") as journal:
        assert journal.problem is None
        disk.fill()
        wait_for(lambda: journal.problem is Problem.DISK_FULL)
        disk.free()
        wait_for(lambda: healthy(journal))


def test_numbers_are_not_used_again_after_a_restart_on_a_full_disk(disk: Disk) -> None:
    path = disk.path / "journal"
    with opened(path) as journal:
        numbers = write(journal, "a")
        disk.fill()
        numbers += write(journal, *(str(number) for number in range(50)))
    for _ in range(2):
        with opened(path) as journal:
            again = write(journal, "b")
            assert again[0] not in numbers
            numbers += again
            assert pending(journal)[-1] == "b"
    disk.free()
    with opened(path) as journal:
        assert write(journal, "c")[0] not in numbers
        # What the full disk did not take was kept all the same.
        wait_for(lambda: healthy(journal))
        assert pending(journal) == ["a", *(str(number) for number in range(50)), "b", "b", "c"]


def test_it_starts_on_a_full_disk_and_goes_on_when_there_is_room(disk: Disk) -> None:
    path = disk.path / "journal"
    with opened(path) as journal:
        write(journal, "before")
    disk.fill()
    with opened(path) as journal:
        assert journal.problem is Problem.DISK_FULL
        write(journal, "while")
        disk.free()
        wait_for(lambda: healthy(journal))
        assert sorted(pending(journal)) == ["before", "while"]
    with opened(path) as journal:
        assert sorted(pending(journal)) == ["before", "while"]


def test_it_starts_on_a_read_only_disk_tells_what_is_there_and_goes_on_when_it_may(disk: Disk) -> None:
    path = disk.path / "journal"
    with opened(path) as journal:
        write(journal, "old", "before")
        journal.acknowledge("home", journal.last_sequence - 1)
    disk.read_only()
    with opened(path) as journal:
        assert journal.problem is Problem.DISK_READ_ONLY
        write(journal, "while")
        assert pending(journal) == ["before", "while"]
        disk.writable()
        wait_for(lambda: healthy(journal))
        assert pending(journal) == ["before", "while"]
    with opened(path) as journal:
        assert pending(journal) == ["before", "while"]


def test_a_disk_that_becomes_read_only_while_it_runs(disk: Disk) -> None:
    path = disk.path / "journal"
    with opened(path) as journal:
        write(journal, "before")
        _remount_read_only(disk, journal)
        write(journal, "while")
        wait_for(lambda: journal.problem is not None)
        assert pending(journal) == ["before", "while"]
        disk.writable()
        wait_for(lambda: healthy(journal))
    with opened(path) as journal:
        assert pending(journal) == ["before", "while"]


def _remount_read_only(disk: Disk, journal: Journal) -> None:
    # Linux refuses that while a file is open for writing, unless the file system itself has found an error.
    file = journal._writer.file
    assert file is not None
    with file._lock:
        file._database.close()
        file.writable = False
        disk.read_only()
        file._database = sqlite3.connect(
            f"file:{disk.path / 'journal'}?immutable=1", uri=True, check_same_thread=False
        )


def test_no_lock_of_another_process_holds_up_an_alarm(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    path = tmp_path / "journal"
    with opened(path) as journal:
        write(journal, "before")
        with held_by_another_process(path):
            # Had `append` waited for the lock, this would never end: it is held until the block is left.
            longest = 0.0
            for number in range(20):
                begun = time.monotonic()
                write(journal, str(number))
                longest = max(longest, time.monotonic() - begun)
            assert journal.unsaved == 20
        record_property("measured", f"the longest wait was {longest * 1000:.0f} ms")
        wait_for(lambda: healthy(journal))
        assert pending(journal) == ["before", *(str(number) for number in range(20))]
    with opened(path) as journal:
        assert len(pending(journal)) == 21


@pytest.mark.parametrize("mode", ["NORMAL", "EXCLUSIVE"])
def test_it_starts_while_another_process_holds_the_file(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "journal"
    with opened(path) as journal:
        write(journal, "delivered", "before")
        journal.acknowledge("home", journal.last_sequence - 1)
    with held_by_another_process(path, f"PRAGMA locking_mode = {mode}"):
        journal = Journal(path, retry_s=0.05, look_s=0.05)
        write(journal, "while")
    wait_for(lambda: healthy(journal))
    assert sorted(pending(journal)) == ["before", "while"]
    journal.close()


def _overwrite(path: Path) -> None:
    for name in ("", "-wal"):
        with path.with_name(path.name + name).open("r+b") as stream:
            size = stream.seek(0, 2)
            stream.seek(0)
            stream.write(b"\xa5" * size)


def _truncate(path: Path) -> None:
    for name in ("", "-wal"):
        with path.with_name(path.name + name).open("r+b") as stream:
            stream.truncate(0)


def _remove(path: Path) -> None:
    for name in ("", "-wal", "-shm"):
        path.with_name(path.name + name).unlink()


def _replace(path: Path) -> None:
    other = path.with_name("other")
    other.write_bytes(b"something else")
    other.replace(path)


@pytest.mark.parametrize("harm", [_overwrite, _truncate, _remove, _replace])
def test_damage_while_it_runs_is_healed_and_costs_nothing_undelivered(
    tmp_path: Path, harm: Callable[[Path], None]
) -> None:
    path = tmp_path / "journal"
    names = [str(number) for number in range(100)]
    with opened(path) as journal:
        numbers = write(journal, *names)
        journal.acknowledge("home", numbers[9])
        wait_for(lambda: not journal._memory.waits)
        harm(path)
        numbers += write(journal, "after")
        assert numbers == sorted(set(numbers))
        wait_for(lambda: healthy(journal))
        assert pending(journal) == [*names[10:], "after"]
    with opened(path) as journal:
        assert pending(journal) == [*names[10:], "after"]
        assert write(journal, "next")[0] > numbers[-1]
        assert journal.label("after", Verdict.CORRECT)


def test_a_question_finds_the_damage_too_and_is_answered(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    with opened(path) as journal:
        write(journal, *(str(number) for number in range(100)))
    with opened(path) as journal:
        _overwrite(path)
        assert len(pending(journal)) == 100
        write(journal, "after")
        assert len(pending(journal)) == 101


def test_damage_after_the_last_write_is_found_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    with opened(path) as journal:
        write(journal, *(str(number) for number in range(100)))
        with path.open("r+b") as stream:
            stream.seek(8192)
            stream.write(b"\xa5" * 16384)
    with opened(path) as journal:
        assert len(pending(journal)) == 100


@pytest.mark.parametrize(
    "harm",
    [
        "PRAGMA user_version = 9",
        "DROP TABLE labels",
        "DROP TABLE reserved",
        "UPDATE acknowledged SET sequence = 'x'",
        "UPDATE acknowledged SET sequence = 9223372036854775807",
        "UPDATE reserved SET sequence = 9223372036854775807",
        "UPDATE detections SET frame = x'ff00' WHERE id = 'delivered'",
        "INSERT INTO labels VALUES ('before', 'perhaps', 1.0)",
    ],
)
def test_whatever_a_sound_database_says_it_starts_and_counts_on(tmp_path: Path, harm: str) -> None:
    path = tmp_path / "journal"
    with opened(path) as journal:
        numbers = write(journal, "delivered", "before")
        journal.acknowledge("home", numbers[0])
    database = sqlite3.connect(path, isolation_level=None)
    database.execute(harm)
    database.close()
    with opened(path) as journal:
        assert write(journal, "after")[0] > numbers[-1]
        wait_for(lambda: healthy(journal))
        assert pending(journal)[-2:] == ["before", "after"]
        assert journal.label("before", Verdict.CORRECT)
        wait_for(lambda: not journal._memory.waits)
        assert journal.labels() == {"before": Verdict.CORRECT}


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo])
def test_what_is_no_file_makes_room_for_a_journal(tmp_path: Path, make: Callable[[Path], None]) -> None:
    path = tmp_path / "journal"
    make(path)
    with opened(path) as journal:
        write(journal, "a")
        assert healthy(journal)
    with opened(path) as journal:
        assert pending(journal) == ["a"]


def test_half_a_file_gives_back_what_is_left_of_it(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    with opened(path) as journal:
        last = write(journal, *(str(number) for number in range(400)))[-1]
        journal.acknowledge("home", last - 10)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 16384] = b"\xa5" * 16384
    path.write_bytes(data)
    with opened(path) as journal:
        assert len(pending(journal, "other")) > 100
        assert write(journal, "after")[0] > last


def test_with_a_clock_that_was_a_month_behind_nothing_undelivered_goes(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    now = [1_700_000_000.0]
    with opened(path, lambda: now[0]) as journal:
        numbers = write(journal, "delivered", "undelivered")
        journal.acknowledge("home", numbers[0])
    now[0] += 40 * DAY
    with opened(path, lambda: now[0]) as journal:
        write(journal, *(str(number) for number in range(250)))
        assert pending(journal)[0] == "undelivered"
        assert pending(journal, "other")[0] == "undelivered"


def test_with_a_clock_that_goes_back_numbers_still_grow(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    now = [1_700_000_000.0]
    numbers: list[int] = []
    for _ in range(3):
        with opened(path, lambda: now[0]) as journal:
            numbers += write(journal, "a", "b")
        now[0] -= 365 * DAY
    assert numbers == sorted(set(numbers))


def test_a_journal_of_the_first_version_is_read_and_brought_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    with opened(path) as journal:
        numbers = write(journal, "a")
    with sqlite3.connect(path) as database:
        database.execute("DROP TABLE reserved")
        database.execute("PRAGMA user_version = 0")
    database.close()
    with opened(path) as journal:
        assert pending(journal) == ["a"]
        assert write(journal, "b")[0] > numbers[0]
    assert [item.name for item in tmp_path.iterdir()] == ["journal"]


def test_what_was_told_while_another_process_held_the_journal_outlives_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    with writer(path) as process:
        process.append("before")
        with held_by_another_process(path):
            process.append("while", "held")
            process.label("while")
            process.kill()
    with opened(path) as journal:
        assert pending(journal) == ["before", "while", "held"]
        assert [item.id for item in journal.unfinished()] == ["before", "while", "held"]
        assert journal.labels() == {"while": Verdict.FALSE_ALARM}
        assert write(journal, "after")[0] > max(process.numbers)
        wait_for(lambda: healthy(journal))
        assert pending(journal) == ["before", "while", "held", "after"]
    with opened(path) as journal:
        found = journal.pending("home", up_to=journal.last_sequence)
        assert [item.sequence for item in found[:3]] == process.numbers
        assert journal.labels() == {"while": Verdict.FALSE_ALARM}


def test_what_was_told_while_the_disk_hung_outlives_a_kill(tmp_path: Path) -> None:
    with hanging_disk(tmp_path / "disk") as disk:
        path = disk.path / "journal"
        with writer(path) as process:
            process.append("before")
            disk.hang()
            process.append("while", "it", "hung")
            process.kill()
            disk.go_on()
        with opened(path) as journal:
            assert pending(journal) == ["before", "while", "it", "hung"]
            assert write(journal, "after")[0] > max(process.numbers)


def test_a_disk_that_hangs_holds_up_one_alarm_and_no_question(tmp_path: Path) -> None:
    with hanging_disk(tmp_path / "disk") as disk, opened(disk.path / "journal") as journal:
        write(journal, "before")
        disk.hang()
        write(journal, "first")
        assert journal.unsaved == 1
        # Had each waited for the disk, the test would last as many seconds.
        write(journal, *(str(number) for number in range(300)))
        assert len(pending(journal)) == 302
        disk.go_on()
        wait_for(lambda: healthy(journal))
        assert len(pending(journal)) == 302


def test_a_disk_that_hangs_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_trouble, "_HELD_UP_IS_TOLD_AFTER_S", 0.0)
    with hanging_disk(tmp_path / "disk") as disk, opened(disk.path / "journal") as journal:
        told: list[Problem | None] = []
        journal.subscribe(told.append)
        disk.hang()
        write(journal, "while")
        assert journal.problem is Problem.JOURNAL_FAILING
        disk.go_on()
        wait_for(lambda: healthy(journal))
        assert told == [Problem.JOURNAL_FAILING, None]


def test_after_a_power_cut_no_number_is_used_again_however_many_the_disk_had_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "journal"
    memory = tmp_path / "memory"
    memory.mkdir()
    monkeypatch.setenv("RUNTIME_DIRECTORY", str(memory))
    with writer(path) as process:
        process.append("before")
        with held_by_another_process(path):
            process.append(*(str(number) for number in range(1100)))
            process.kill()
    (lost,) = memory.iterdir()
    lost.unlink()
    with opened(path) as journal:
        assert write(journal, "after")[0] > max(process.numbers)


def test_a_second_journal_in_one_place_takes_nothing_from_the_first(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    with opened(path) as journal:
        write(journal, "before")
        with held_by_another_process(path):
            write(journal, "while")
            with opened(path) as second:
                assert second.unsaved == 0
        wait_for(lambda: healthy(journal))
        assert pending(journal) == ["before", "while"]


def test_killed_at_random_moments_nothing_is_lost_and_nothing_doubled(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    """`benchmarks/reliability.py --kills 10000` does it more often."""
    result = run_rounds(tmp_path / "journal", 200, seed=1)
    assert result.lost == result.doubled == 0
    assert result.told > 200
    record_property(
        "measured", f"{result.rounds} kills after {result.told} detections: none lost, none doubled"
    )
