"""How wrong a satellite's clock is: never further off than it says, however slow the network, whoever sets a clock."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hypothesis import given, strategies as st
import pytest

from custom_components.echonet.clocks import DRIFT, Offset, SatelliteClock
from custom_components.echonet.protocol import LATEST_TIME_S, Detection, Phase, SoundClass, TimeReply

START_S = 1.8e9
SECONDS = st.floats(0.0001, 1.5)
EPSILON_S = 1e-5


@dataclass
class World:
    """A satellite whose clock is `ahead` of the true time, and answers that take a while each way."""

    clock: SatelliteClock
    ahead: float
    monotonic: float = 100.0
    home_ahead: float = 0.0

    def exchange(self, there_s: float, back_s: float) -> None:
        request = self.clock.ask(self.monotonic)
        reply = TimeReply(number=request.number, time_s=START_S + self.monotonic + there_s + self.ahead)
        self.monotonic += there_s + back_s
        self.clock.take(reply, self.monotonic)

    def offset(self) -> Offset:
        offset = self.clock.offset(self.monotonic, START_S + self.monotonic + self.home_ahead)
        assert offset is not None
        return offset

    def error_s(self) -> float:
        return abs(self.offset().ahead.total_seconds() - (self.ahead - self.home_ahead))


@given(
    ahead=st.floats(-1e8, 1e8),
    exchanges=st.lists(
        st.tuples(SECONDS, SECONDS, st.floats(0, 600), st.floats(-1, 1)), min_size=1, max_size=40
    ),
)
def test_the_offset_is_never_further_off_than_it_says(
    ahead: float, exchanges: list[tuple[float, float, float, float]]
) -> None:
    world = World(SatelliteClock(), ahead)
    for there_s, back_s, pause_s, drift in exchanges:
        world.monotonic += pause_s
        world.ahead += pause_s * DRIFT * drift
        if there_s + back_s <= 2:
            world.exchange(there_s, back_s)
            assert world.error_s() <= world.offset().uncertainty.total_seconds() + EPSILON_S


def test_the_quickest_answer_counts() -> None:
    world = World(SatelliteClock(), 3600.0)
    for delay_s in (0.2, 0.001, 0.5, 0.3):
        world.exchange(delay_s, 0.001)
    assert world.offset().uncertainty <= timedelta(milliseconds=1.2)
    assert world.error_s() <= 0.0012


@given(jump=st.floats(0.1, 1e8), before=st.integers(1, 50))
def test_a_clock_that_is_set_is_believed_with_the_next_answer(jump: float, before: int) -> None:
    world = World(SatelliteClock(), -5.0)
    for _ in range(before):
        world.exchange(0.002, 0.002)
    world.ahead += jump
    world.exchange(0.004, 0.004)
    assert world.error_s() <= 0.005


def test_home_assistants_own_clock_may_be_set() -> None:
    world = World(SatelliteClock(), 0.0)
    world.exchange(0.001, 0.001)
    world.home_ahead = 7200.0
    assert world.error_s() <= 0.002


def test_nothing_is_known_without_an_answer() -> None:
    clock = SatelliteClock()
    clock.ask(1.0)
    assert clock.offset(2.0, START_S) is None


@pytest.mark.parametrize("number", [0, 2, 3, 2**50])
def test_answers_that_nobody_asked_for_are_left_out(number: int) -> None:
    clock = SatelliteClock()
    clock.take(TimeReply(number=number, time_s=0.0), 1.0)
    clock.ask(1.0)
    clock.take(TimeReply(number=number, time_s=0.0), 1.0)
    assert clock.offset(2.0, START_S) is None


def test_an_answer_that_took_too_long_is_left_out() -> None:
    clock = SatelliteClock()
    request = clock.ask(1.0)
    clock.take(TimeReply(number=request.number, time_s=0.0), 4.0)
    assert clock.offset(4.0, START_S) is None


def heard(onset: datetime, phase: Phase = Phase.START, *, replayed: bool = False) -> Detection:
    """What a satellite says."""
    return Detection(
        id="1",
        sequence=1,
        sound_class=SoundClass.GLASS_BREAK,
        phase=phase,
        onset=onset,
        confidence=0.9,
        peak_dbfs=-3.0,
        replayed=replayed,
    )


NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_a_satellite_whose_clock_is_hours_wrong_tells_the_right_time() -> None:
    world = World(SatelliteClock(), -7200.0)
    world.exchange(0.001, 0.001)
    told = heard(NOW - timedelta(hours=2))
    corrected = world.clock.correct(told, world.offset())
    assert abs(corrected.onset - NOW) <= timedelta(milliseconds=2)


def test_all_messages_of_a_detection_are_moved_alike() -> None:
    clock = SatelliteClock()
    first = Offset(ahead=timedelta(hours=1), uncertainty=timedelta(milliseconds=1))
    later = Offset(ahead=timedelta(0), uncertainty=timedelta(milliseconds=1))
    onsets = {
        clock.correct(heard(NOW, phase), offset).onset
        for phase, offset in ((Phase.START, first), (Phase.UPDATE, later), (Phase.END, None))
    }
    assert onsets == {NOW - timedelta(hours=1)}


def test_a_clock_that_may_be_right_is_left_alone() -> None:
    clock = SatelliteClock()
    offset = Offset(ahead=timedelta(milliseconds=3), uncertainty=timedelta(milliseconds=4))
    assert clock.correct(heard(NOW), offset).onset == NOW


def test_what_is_replayed_was_heard_by_the_clock_of_then() -> None:
    clock = SatelliteClock()
    offset = Offset(ahead=timedelta(hours=3), uncertainty=timedelta(milliseconds=1))
    assert clock.correct(heard(NOW, replayed=True), offset).onset == NOW


@given(
    onset=st.datetimes(timezones=st.just(UTC)),
    time_s=st.floats(0, LATEST_TIME_S),
    utc=st.floats(0, LATEST_TIME_S),
)
def test_no_clock_raises(onset: datetime, time_s: float, utc: float) -> None:
    clock = SatelliteClock()
    request = clock.ask(1.0)
    clock.take(TimeReply(number=request.number, time_s=time_s), 1.0)
    clock.correct(heard(onset), clock.offset(1.0, utc))
