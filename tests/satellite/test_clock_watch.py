"""Whether the clock is right: what NTP has told the kernel, what systemd says, and what Home Assistant measures."""

import ctypes
from pathlib import Path

import pytest

from echonet_satellite import clock_watch as clock_module
from echonet_satellite.clock_watch import ClockWatch, kernel_clock_is_synchronised
from echonet_satellite.protocol import ClockReport, Problem
from tests.satellite.test_station import until
from tests.support.satellite import running_satellite

# What adjtimex(2) returns: all is well, a leap second is under way, nothing keeps the clock right.
TIME_OK, TIME_OOP, TIME_ERROR, NOT_ALLOWED = 0, 3, 5, -1


class Kernel:
    """A C library whose kernel says of its clock what the test says."""

    state = TIME_OK

    def adjtimex(self, asked: ctypes.Array[ctypes.c_char]) -> int:
        # Its first field, the modes, is all zeros: a question that changes nothing.
        assert asked.raw == bytes(len(asked))
        return self.state


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Kernel:
    """The kernel, and a systemd that says nothing."""
    found = Kernel()
    monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: found)
    monkeypatch.setattr(clock_module, "_TIMESYNCD", tmp_path / "timesync")
    return found


@pytest.mark.parametrize(("state", "synchronised"), [(TIME_OK, True), (TIME_OOP, True), (TIME_ERROR, False)])
def test_the_kernel_knows_whether_a_time_server_was_found(
    kernel: Kernel, state: int, synchronised: bool
) -> None:
    kernel.state = state
    assert kernel_clock_is_synchronised() is synchronised


def test_where_the_kernel_may_not_be_asked_systemd_is(kernel: Kernel, tmp_path: Path) -> None:
    """A hardened service gets EPERM."""
    kernel.state = NOT_ALLOWED
    assert kernel_clock_is_synchronised() is None
    assert not ClockWatch().wrong
    (tmp_path / "timesync").mkdir()
    assert kernel_clock_is_synchronised() is False
    assert ClockWatch().wrong
    (tmp_path / "timesync" / "synchronized").touch()
    assert kernel_clock_is_synchronised() is True


def test_the_real_kernel_answers_and_its_clock_stays_as_it_is() -> None:
    assert kernel_clock_is_synchronised() in {True, False, None}


async def test_a_clock_without_a_time_server_is_told_and_taken_back_when_there_is_one(
    kernel: Kernel, tmp_path: Path
) -> None:
    kernel.state = TIME_ERROR
    async with running_satellite(tmp_path) as satellite:
        station = satellite.station
        station.look_at_clock()
        await until(lambda: station.snapshot().health.problems == (Problem.CLOCK_WRONG,))
        kernel.state = TIME_OK
        station.look_at_clock()
        await until(lambda: station.snapshot().health.problems == ())
        # Whoever has measured it knows better than the kernel, in either direction.
        station.measured(ClockReport(ahead_s=3600.0, uncertainty_s=0.1))
        await until(lambda: station.snapshot().health.problems == (Problem.CLOCK_WRONG,))
        kernel.state = TIME_ERROR
        station.measured(ClockReport(ahead_s=0.2, uncertainty_s=0.1))
        await until(lambda: station.snapshot().health.problems == ())
