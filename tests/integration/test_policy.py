"""Who is told of what: every start, once per class within the cooldown."""

from datetime import datetime, timedelta

from hypothesis import given, strategies as st

from custom_components.echonet.household import policy as policy_module
from custom_components.echonet.household.incidents import Change, Place
from custom_components.echonet.household.policy import Policy, Telling
from custom_components.echonet.protocol import AlarmPattern, Detection, SoundClass
from tests.integration.sounds import HALL, KITCHEN, NIGHT, incident, sound

COOLDOWN = timedelta(seconds=60)


def decide(
    policy: Policy,
    *heard: tuple[Place, Detection],
    before: tuple[tuple[Place, Detection], ...] = (),
    late: bool = False,
    now: datetime | None = None,
) -> Telling | None:
    change = Change(incident=incident(*heard), before=incident(*before) if before else None)
    return policy.decide(change, late=late, now=now or change.incident.onset, cooldown=COOLDOWN)


def test_a_class_is_quiet_during_its_cooldown() -> None:
    policy = Policy()
    assert decide(policy, (KITCHEN, sound(SoundClass.DOG, at=0))) is Telling.NEW
    assert decide(policy, (KITCHEN, sound(SoundClass.DOG, at=59))) is None
    assert decide(policy, (KITCHEN, sound(SoundClass.ALARM, at=59))) is Telling.NEW
    assert decide(policy, (KITCHEN, sound(SoundClass.DOG, at=60))) is Telling.NEW


def test_without_a_cooldown_everything_is_told() -> None:
    policy = Policy()
    for _ in range(3):
        change = Change(incident=incident((KITCHEN, sound())), before=None)
        assert policy.decide(change, late=False, now=NIGHT, cooldown=timedelta(0)) is Telling.NEW


def test_a_test_is_always_told_and_holds_nothing_back() -> None:
    policy = Policy()
    assert decide(policy, (KITCHEN, sound(test=True))) is Telling.TEST
    assert decide(policy, (KITCHEN, sound(test=True))) is Telling.TEST
    assert decide(policy, (KITCHEN, sound())) is Telling.NEW
    assert decide(policy, (KITCHEN, sound(test=True))) is Telling.TEST


def test_another_room_updates_what_was_told() -> None:
    policy = Policy()
    first, second = (KITCHEN, sound()), (HALL, sound())
    assert decide(policy, first) is Telling.NEW
    assert decide(policy, first, before=(first,)) is None
    assert decide(policy, first, second, before=(first,)) is Telling.UPDATE


def test_a_pattern_that_becomes_known_updates_what_was_told() -> None:
    policy = Policy()
    start = sound()
    known = sound(id=start.id, pattern=AlarmPattern.T3)
    assert decide(policy, (KITCHEN, start)) is Telling.NEW
    assert decide(policy, (KITCHEN, known), before=((KITCHEN, start),)) is Telling.UPDATE


def test_what_was_not_told_is_not_updated() -> None:
    policy = Policy()
    decide(policy, (KITCHEN, sound(at=0)))
    quiet = (KITCHEN, sound(at=30))
    assert decide(policy, quiet) is None
    assert decide(policy, quiet, (HALL, sound(at=30)), before=(quiet,)) is None


def test_late_news_is_told_once_and_never_holds_back_fresh_news() -> None:
    policy = Policy()
    now = NIGHT + timedelta(minutes=30)
    first = (KITCHEN, sound(at=0))
    assert decide(policy, first, late=True, now=now) is Telling.LATE
    assert decide(policy, first, (HALL, sound(at=1)), before=(first,), late=True, now=now) is None
    assert decide(policy, (KITCHEN, sound(at=90)), late=True, now=now) is None
    assert decide(policy, (KITCHEN, sound(at=1800)), now=now) is Telling.NEW


def test_news_older_than_an_hour_is_history() -> None:
    policy = Policy()
    now = NIGHT + timedelta(hours=1, seconds=1)
    assert decide(policy, (KITCHEN, sound(at=0)), late=True, now=now) is None
    assert decide(policy, (KITCHEN, sound(at=2)), late=True, now=now) is Telling.LATE


def test_memory_is_bounded() -> None:
    policy = Policy()
    for number in range(policy_module.REMEMBERED + 50):
        decide(policy, (KITCHEN, sound(at=number * 61.0)))
    assert len(policy._told) == policy_module.REMEMBERED


@given(
    st.lists(
        st.tuples(
            st.integers(min_value=0, max_value=90),
            st.sampled_from([SoundClass.DOG, SoundClass.ALARM]),
            st.booleans(),
            st.booleans(),
        ),
        max_size=40,
    )
)
def test_no_class_is_told_twice_within_the_cooldown_and_the_first_always_is(
    steps: list[tuple[int, SoundClass, bool, bool]],
) -> None:
    policy = Policy()
    told: dict[tuple[SoundClass, bool], list[float]] = {}
    at = 0.0
    for pause, sound_class, late, test in steps:
        at += pause
        telling = decide(policy, (KITCHEN, sound(sound_class, at=at, test=test)), late=late)
        if test:
            assert telling is Telling.TEST
            continue
        before = told.setdefault((sound_class, late), [])
        due = not before or at - before[-1] >= COOLDOWN.total_seconds()
        assert telling is ((Telling.LATE if late else Telling.NEW) if due else None)
        if due:
            before.append(at)
