"""What is seen of the sound and of the work becomes health; time is given."""

import numpy as np
import pytest

from echonet_satellite.audio import SourceKind
from echonet_satellite.frontend import Floats
from echonet_satellite.health import FROZEN_AFTER_S, SILENT_AFTER_S, HealthMonitor
from echonet_satellite.protocol import Problem
from tests.support.hearing import RATE, noise, silence


def hear(monitor: HealthMonitor, block: Floats, seconds: float, work: float = 0.02) -> tuple[Problem, ...]:
    """Hear a block again and again, and return the problems then."""
    length_s = len(block) / RATE
    for number in range(round(seconds / length_s)):
        # No two blocks of a room are the same.
        monitor.block(np.roll(block, number), work * length_s)
    health = monitor.changed(0.0)
    return health.problems if health else ()


@pytest.mark.parametrize("level", [0.0, 0.5])
def test_a_microphone_that_does_not_move_is_silent(level: float) -> None:
    monitor = HealthMonitor(SourceKind.MICROPHONE)
    still = np.full(RATE // 10, level, np.float32)
    assert hear(monitor, still, SILENT_AFTER_S - 1) == ()
    assert hear(monitor, still, 2) == (Problem.MICROPHONE_SILENT,)
    assert hear(monitor, silence(0.1), 0.1) == ()


def test_a_quiet_room_is_no_problem() -> None:
    assert hear(HealthMonitor(SourceKind.MICROPHONE), silence(0.1), 60) == ()


def test_a_microphone_that_is_driven_too_hard_is_clipped() -> None:
    monitor = HealthMonitor(SourceKind.MICROPHONE)
    loud = np.clip(noise(0.1, level=1.0), -1, 1)
    assert hear(monitor, loud, 0.3) == ()  # a bang may clip
    assert hear(monitor, loud, 6) == (Problem.MICROPHONE_CLIPPED,)
    assert hear(monitor, silence(0.1), 6) == ()


def test_a_file_may_be_silent_or_clipped() -> None:
    monitor = HealthMonitor(SourceKind.FILE)
    assert hear(monitor, np.zeros(1600, np.float32), 60) == ()
    assert hear(monitor, np.ones(1600, np.float32), 60) == ()


def test_lost_blocks_are_a_problem_for_a_minute() -> None:
    monitor = HealthMonitor(SourceKind.MICROPHONE)
    monitor.dropped(3, now=100.0)
    health = monitor.changed(100.0)
    assert health is not None
    assert (health.problems, health.dropped_blocks) == ((Problem.BLOCKS_DROPPED,), 3)
    monitor.dropped(3, now=159.0)
    assert monitor.changed(159.0) is None
    later = monitor.changed(161.0)
    assert later is not None
    assert (later.problems, later.dropped_blocks) == ((), 3)


def test_work_that_takes_longer_than_the_sound_is_too_slow() -> None:
    monitor = HealthMonitor(SourceKind.MICROPHONE)
    assert hear(monitor, silence(0.1), 20, work=0.5) == ()
    assert hear(monitor, silence(0.1), 20, work=1.2) == (Problem.TOO_SLOW,)
    assert hear(monitor, silence(0.1), 20, work=0.02) == ()


def test_small_changes_of_the_work_are_no_news() -> None:
    monitor = HealthMonitor(SourceKind.MICROPHONE)
    hear(monitor, silence(0.1), 20, work=0.1)
    monitor.block(silence(0.1), 0.011)
    assert monitor.changed(0.0) is None


def test_what_is_gone_or_paused_is_neither_silent_nor_slow() -> None:
    monitor = HealthMonitor(SourceKind.MICROPHONE)
    hear(monitor, np.zeros(1600, np.float32), 60, work=2.0)
    monitor.gone()
    health = monitor.changed(0.0)
    assert health is not None
    assert health.problems == (Problem.MICROPHONE_MISSING,)
    monitor.paused()
    health = monitor.changed(0.0)
    assert health is not None
    assert health.problems == ()


def test_a_driver_that_gives_the_same_sound_again_and_again_is_frozen() -> None:
    monitor = HealthMonitor(SourceKind.MICROPHONE)
    ring = [noise(0.08, 0.01, seed=seed) for seed in range(4)]
    blocks_per_s = 12.5
    for number in range(round((FROZEN_AFTER_S + 1) * blocks_per_s)):
        monitor.block(ring[number % len(ring)], 0.001)
    health = monitor.changed(0.0)
    assert health is not None
    assert health.problems == (Problem.MICROPHONE_FROZEN,)
    assert hear(monitor, noise(0.1, 0.01, seed=9), 0.1) == ()


def test_a_channel_that_is_dead_while_another_one_hears_is_the_wrong_one() -> None:
    monitor = HealthMonitor(SourceKind.MICROPHONE)
    still = np.zeros(RATE // 10, np.float32)
    for _ in range(round(SILENT_AFTER_S * 10) + 1):
        monitor.block(still, 0.001, elsewhere=True)
    health = monitor.changed(0.0)
    assert health is not None
    assert health.problems == (Problem.MICROPHONE_WRONG_CHANNEL,)


def test_what_is_counted_over_a_day_does_not_drift() -> None:
    monitor = HealthMonitor(SourceKind.FILE)
    factors = set()
    block = silence(0.08)
    for _ in range(20_000):
        monitor.block(block, 0.08 * 0.1)
        if health := monitor.changed(0.0):
            factors.add(health.realtime_factor)
    assert factors == {0.1}
