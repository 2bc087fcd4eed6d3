"""The learning rate rises and falls once in every round."""

from hypothesis import given, strategies as st

from echonet_models.schedule import LOWEST_SHARE, Schedule


def schedule(*rounds: int) -> Schedule:
    return Schedule(rounds=rounds, pool_size=320, passes=1)


@given(st.lists(st.integers(1, 30), min_size=1, max_size=4))
def test_every_round_starts_anew_and_ends_low(rounds: list[int]) -> None:
    own = schedule(*rounds)
    first = 0
    for number, pools in enumerate(rounds):
        rates = [own.learning_rate_at(step) for step in range(first, first + pools * own.steps_per_pool)]
        height = own.learning_rate * own.restart_share**number
        assert 0.9 * height < max(rates) <= height * 1.001
        assert min(rates) >= height * LOWEST_SHARE * 0.999
        top = rates.index(max(rates))
        assert rates[:top] == sorted(rates[:top])
        assert rates[top:] == sorted(rates[top:], reverse=True)
        assert rates[-1] < 0.1 * height
        first += len(rates)
    assert first == own.pools * own.steps_per_pool


def test_a_training_that_went_on_too_long_learns_nothing_fast() -> None:
    own = schedule(3, 2)
    assert own.learning_rate_at(10 * own.steps_per_pool) <= own.learning_rate * LOWEST_SHARE
