#!/usr/bin/env python3
"""Makes each fault happen that a satellite must bear, and writes what was measured to docs/reliability.md.

usage: .venv/bin/python benchmarks/reliability.py [--kills 10000] [--write]

The faults are tests, with real parts: file systems that are full, locks of other processes, kills. `--kills` adds a
long run of `kill -9` at random moments (see endurance.py: Ctrl-C stops that, and the same command goes on with it).
Full and read-only disks need root. The tests take 5 minutes. Exit status 1 where a fault was not borne.
"""

import argparse
from dataclasses import dataclass, field
import os
from pathlib import Path
import subprocess
import sys
import tempfile
from xml.etree import ElementTree as ET

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "satellite")]

from benchmarks import endurance
from echonet_satellite.journal import PATIENCE_S
from echonet_satellite.journal_memory import MOST_IN_MEMORY
from echonet_satellite.protocol import EchonetError

PAGE = ROOT / "docs" / "reliability.md"
SATELLITE = "tests/satellite"
INTEGRATION = "tests/integration"

# What can go wrong, as an owner would say it, and the tests in which it does: a file, and the beginning of their names.
FAULTS = (
    (
        "Standard output: full disk, a reader that has stopped or gone, none",
        f"{SATELLITE}/test_output.py",
        "",
    ),
    (
        "One of those who are told fails",
        f"{SATELLITE}/test_station.py",
        "test_a_listener_that_raises_keeps_nobody_else_from_hearing",
    ),
    (
        "The disk is full, and nobody is connected",
        f"{SATELLITE}/test_journal_faults.py",
        "test_with_the_disk_full_and_nobody_connected_nothing_is_lost",
    ),
    (
        "The disk is full, and somebody is: told, and said in the health",
        f"{SATELLITE}/test_station.py",
        "test_a_full_disk_is_told_and_so_is_the_alarm",
    ),
    (
        "A start on a full or read-only disk",
        f"{SATELLITE}/test_journal_faults.py",
        "test_it_starts_on_a_",
    ),
    (
        "The disk becomes read-only",
        f"{SATELLITE}/test_journal_faults.py",
        "test_a_disk_that_becomes_read_only_while_it_runs",
    ),
    (
        "Another process holds the journal",
        f"{SATELLITE}/test_journal_faults.py",
        "test_no_lock_of_another_process_holds_up_an_alarm",
    ),
    (
        "Another process holds the journal at the start",
        f"{SATELLITE}/test_journal_faults.py",
        "test_it_starts_while_another_process_holds_the_file",
    ),
    (
        "The journal is overwritten, cut off, removed or replaced while it runs",
        f"{SATELLITE}/test_journal_faults.py",
        "test_damage_while_it_runs_is_healed_and_costs_nothing_undelivered",
    ),
    (
        "The journal is damaged in the middle",
        f"{SATELLITE}/test_journal_faults.py",
        "test_half_a_file_gives_back_what_is_left_of_it",
    ),
    (
        "Another process holds the journal, and then `kill -9`",
        f"{SATELLITE}/test_journal_faults.py",
        "test_what_was_told_while_another_process_held_the_journal_outlives_a_kill",
    ),
    (
        "The disk hangs",
        f"{SATELLITE}/test_journal_faults.py",
        "test_a_disk_that_hangs_",
    ),
    (
        "The disk hangs, and then `kill -9`",
        f"{SATELLITE}/test_journal_faults.py",
        "test_what_was_told_while_the_disk_hung_outlives_a_kill",
    ),
    (
        "Numbers after a power cut while the disk takes nothing",
        f"{SATELLITE}/test_journal_faults.py",
        "test_after_a_power_cut_no_number_is_used_again",
    ),
    (
        "Numbers after a restart on a full disk",
        f"{SATELLITE}/test_journal_faults.py",
        "test_numbers_are_not_used_again_after_a_restart_on_a_full_disk",
    ),
    (
        "A clock that was a month behind, or goes back",
        f"{SATELLITE}/test_journal_faults.py",
        "test_with_a_clock_that_",
    ),
    (
        "`kill -9` at random moments",
        f"{SATELLITE}/test_journal_faults.py",
        "test_killed_at_random_moments_nothing_is_lost_and_nothing_doubled",
    ),
    (
        "The settings file is damaged",
        f"{SATELLITE}/test_state.py",
        "test_damaged_settings_never_turn_listening_on",
    ),
    (
        "Lost settings are said",
        f"{SATELLITE}/test_station.py",
        "test_lost_settings_are_said_until_somebody_turns_something",
    ),
    (
        "24 silent WebSockets",
        f"{SATELLITE}/test_server_strangers.py",
        "test_24_silent_websockets_do_not_keep_the_owner_out",
    ),
    (
        "500 connections without a word",
        f"{SATELLITE}/test_server_strangers.py",
        "test_500_connections_without_a_word_leave_room_and_take_no_memory_for_long",
    ),
    (
        "A flood from elsewhere while the owner connects",
        f"{SATELLITE}/test_server_strangers.py",
        "test_a_stranger_from_elsewhere_makes_room_for_the_house",
    ),
    (
        "Requests that are none",
        f"{SATELLITE}/test_server_strangers.py",
        "test_what_is_no_request_shows_no_version_and_writes_no_traceback",
    ),
    (
        "A clock that is seconds, hours or years wrong",
        f"{INTEGRATION}/test_timekeeping.py",
        "test_a_clock_that_is_wrong_is_a_repair_and_a_problem_of_the_satellite_until_it_is_right",
    ),
    (
        "No time server",
        f"{SATELLITE}/test_clock_watch.py",
        "test_a_clock_without_a_time_server_is_told_and_taken_back_when_there_is_one",
    ),
    (
        "The disk takes its time for the settings",
        f"{SATELLITE}/test_station.py",
        "test_a_disk_that_is_slow_to_take_the_settings_holds_up_no_alarm",
    ),
    (
        "The disk hangs while the satellite learns",
        f"{SATELLITE}/test_learning.py",
        "test_a_disk_that_hangs_costs_lessons_and_not_the_hearing",
    ),
    (
        "Loud noises all night, while nobody is connected",
        f"{SATELLITE}/test_journal.py",
        "test_a_loud_night_does_not_push_out_what_nobody_has_been_told",
    ),
    ("The hearing hangs: told", f"{SATELLITE}/test_watch.py", "test_a_thread_that_hangs_is_told"),
    (
        "The hearing hangs for a minute: systemd starts the satellite again",
        f"{SATELLITE}/test_watch.py",
        "test_a_thread_that_hangs_for_long_is_left_to_systemd",
    ),
    ("The process hangs: systemd is told no more", f"{SATELLITE}/test_supervisor.py", "test_systemd_hears"),
)


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What came of the tests of one fault."""

    passed: int = 0
    skipped: int = 0
    failed: int = 0
    measured: list[str] = field(default_factory=list)


def main() -> int:
    """Run, print, write where that is wanted, and return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--kills",
        type=int,
        default=0,
        help="so many kills on end (default: none); those of an earlier run count",
    )
    parser.add_argument("--state", type=Path, default=endurance.STATE, metavar="DIR", help="of the long run")
    parser.add_argument("--write", action="store_true", help="write docs/reliability.md")
    options = parser.parse_args()
    try:
        endurance.kill(options.kills, options.state)
    except KeyboardInterrupt:
        print("\nstopped; the same command goes on with the kills", file=sys.stderr)
        return 130
    except EchonetError as err:
        print(f"error: {err}", file=sys.stderr)
        return 1
    outcomes = _run_tests()
    lines = ["| what goes wrong | borne in | measured |", "| --- | --- | --- |"]
    for what, file, name in FAULTS:
        outcome = _outcome(outcomes, file, name)
        tests = outcome.passed + outcome.failed + outcome.skipped
        borne = f"{outcome.passed} of {tests} tests" + (", the others not run" if outcome.skipped else "")
        lines.append(f"| {what} | {borne} | {'; '.join(dict.fromkeys(outcome.measured))} |")
    bad = any(
        found.failed or not found.passed + found.skipped
        for found in (_outcome(outcomes, file, name) for _, file, name in FAULTS)
    )
    runs = endurance.kill(0, options.state)
    if runs:
        lines.append(f"| `kill -9` at random moments, a long run | {describe(runs)} |")
        bad = bad or any(run.found["lost"] or run.found["doubled"] for run in runs)
    table = "\n".join(lines)
    print(table)
    if options.write:
        PAGE.write_text(_page(table, options.kills), encoding="utf-8")
    return int(bad)


def describe(runs: list[endurance.Run]) -> str:
    """Return what came of kills: in how many rounds all was well, and what was measured."""
    kills = round(sum(run.done for run in runs))
    told, lost, doubled, late = (
        round(sum(run.found[name] for run in runs)) for name in ("told", "lost", "doubled", "late")
    )
    borne = f"{'not ' if lost or doubled else ''}all of {kills} rounds"
    what = f"{kills} kills after {told} detections: {lost} lost, {doubled} doubled"
    if late:
        what += f"; {late} of them were told before the disk had them"
    return f"{borne} | {what} ({endurance.told(runs)})"


def _run_tests() -> ET.Element:
    """Run all tests of the files that hold a fault, and return what pytest says of them."""
    with tempfile.TemporaryDirectory(prefix="echonet-reliability-") as folder:
        report = Path(folder) / "report.xml"
        files = list(dict.fromkeys(file for _, file, _ in FAULTS))
        subprocess.run(
            [
                sys.executable,
                "-m",
                "pytest",
                "-q",
                f"--junit-xml={report}",
                "-o",
                "junit_family=xunit1",
                *files,
            ],
            cwd=ROOT,
            check=False,
            stdout=sys.stderr,
            env={**os.environ, "PYTHONPATH": f"{ROOT / 'satellite'}{os.pathsep}{ROOT}"},
        )
        return ET.parse(report).getroot()  # noqa: S314 - pytest has just written it


def _outcome(report: ET.Element, file: str, name: str) -> Outcome:
    outcome = Outcome()
    for case in report.iter("testcase"):
        if case.get("file") != file or not (case.get("name") or "").startswith(name):
            continue
        if case.find("failure") is not None or case.find("error") is not None:
            outcome.failed += 1
        elif case.find("skipped") is not None:
            outcome.skipped += 1
        else:
            outcome.passed += 1
        outcome.measured += [
            item.get("value") or "" for item in case.iter("property") if item.get("name") == "measured"
        ]
    return outcome


def _page(table: str, kills: int) -> str:
    return f"""# What a satellite bears

Each of these faults is made to happen by tests, with real parts: a full file system is full, a lock is held by another
process, a kill is `kill -9`. Borne means: no alarm is held up or lost, what is wrong is said in the satellite's health
(and so in Home Assistant), and it goes away by itself when the cause does. What Home Assistant shows, and what to do
then, is in [satellite.md](satellite.md).

{table}

Where a disk fails, or has not taken a detection after {PATIENCE_S:g} s, what is heard is told from memory
and written as soon as the disk works. Until then it also lies in a file in memory (`/run` as a service, else
`/dev/shm`), so that a kill and the restart after it lose nothing: only a power cut does, or the end of a container.
Up to {MOST_IN_MEMORY} messages wait there.

Written by `.venv/bin/python benchmarks/reliability.py{f" --kills {kills}" if kills else ""} --write`.
"""


if __name__ == "__main__":
    sys.exit(main())
