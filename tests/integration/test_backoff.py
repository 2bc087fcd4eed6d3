"""The pauses between attempts."""

from hypothesis import given, strategies as st

from custom_components.echonet.backoff import Backoff


def test_pauses_double_up_to_the_limit_and_start_anew() -> None:
    backoff = Backoff(first=1.0, limit=10.0, uniform=lambda _, high: high)
    assert [backoff.next() for _ in range(6)] == [1.0, 2.0, 4.0, 8.0, 10.0, 10.0]
    backoff.reset()
    assert backoff.next() == 1.0


@given(st.integers(min_value=1, max_value=100))
def test_jitter_stays_within_half_of_the_pause(attempts: int) -> None:
    backoff = Backoff(first=1.0, limit=60.0)
    for attempt in range(attempts):
        whole = min(2.0**attempt, 60.0)
        assert whole / 2 <= backoff.next() <= whole
