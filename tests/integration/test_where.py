"""In which room it was: the loudest and earliest one, "unknown" where nobody can say, and never an error."""

from hypothesis import given, strategies as st
import pytest

from custom_components.echonet.household.where import Hearing, Listener, Whereabouts, locate
from custom_components.echonet.protocol import SoundClass

FULL = 0.0


def ask(sound_class: SoundClass, **heard: Hearing | None) -> Whereabouts:
    """Ask where a sound was that was heard like this in these rooms."""
    where = locate(sound_class, [Listener(room=room, heard=item) for room, item in heard.items()])
    assert where is not None
    return where


def test_it_was_where_it_was_loudest() -> None:
    where = ask(
        SoundClass.GLASS_BREAK,
        kitchen=Hearing(level_dbfs=-18.0),
        hall=Hearing(level_dbfs=-45.0),
        attic=None,
    )
    assert where.room == "kitchen"
    assert where.rooms[0].probability > 0.5 > where.elsewhere


def test_a_gunshot_that_fills_every_microphone_was_where_it_was_heard_first() -> None:
    onsets = {"kitchen": 100.031, "hall": 100.002, "attic": 100.055}
    full = {room: Hearing(level_dbfs=FULL, onset_s=onset) for room, onset in onsets.items()}
    assert ask(SoundClass.GUNSHOT, **full).room == "hall"
    untimed = {room: Hearing(level_dbfs=FULL) for room in onsets}
    assert ask(SoundClass.GUNSHOT, **untimed).room is None


def test_when_an_alarm_was_noticed_says_nothing_of_where_it_is() -> None:
    early = ask(
        SoundClass.ALARM,
        kitchen=Hearing(level_dbfs=-20.0, onset_s=5.0),
        hall=Hearing(level_dbfs=-50.0, onset_s=2.0),
        attic=None,
    )
    assert early.room == "kitchen"


def test_what_is_faint_everywhere_was_in_no_room_with_a_satellite() -> None:
    where = ask(
        SoundClass.GLASS_BREAK,
        kitchen=Hearing(level_dbfs=-62.0),
        hall=Hearing(level_dbfs=-61.0),
        attic=None,
    )
    assert where.room is None
    assert where.elsewhere > 0.8


def test_two_satellites_in_a_room_are_two_witnesses() -> None:
    listeners = [
        Listener(room="hall", heard=Hearing(level_dbfs=-20.0)),
        Listener(room="kitchen", heard=Hearing(level_dbfs=-20.0)),
        Listener(room="attic"),
    ]
    alone = locate(SoundClass.GLASS_BREAK, listeners)
    both = locate(
        SoundClass.GLASS_BREAK, [*listeners, Listener(room="hall", heard=Hearing(level_dbfs=-22.0))]
    )
    assert alone is not None
    assert both is not None
    assert both.room == both.rooms[0].room == "hall"
    assert both.rooms[0].probability > alone.rooms[0].probability


@pytest.mark.parametrize(
    "listeners",
    [
        [],
        [Listener(room="hall", heard=Hearing(level_dbfs=-5.0)), Listener(room="kitchen")],
        [Listener(room="hall", heard=Hearing(level_dbfs=-5.0))] * 3,
        [Listener(room="hall"), Listener(room="kitchen"), Listener(room="attic")],
    ],
    ids=["nobody", "two satellites", "one room", "nobody heard it"],
)
def test_nothing_is_said_where_nothing_can_be_known(listeners: list[Listener]) -> None:
    assert locate(SoundClass.GUNSHOT, listeners) is None


HEARINGS = st.builds(
    Hearing,
    level_dbfs=st.floats(-1e9, 1e9),
    onset_s=st.none() | st.floats(0, 8e9),
)


@given(
    sound_class=st.sampled_from(SoundClass),
    listeners=st.lists(
        st.builds(Listener, room=st.sampled_from(["a", "b", "c", "d"]), heard=st.none() | HEARINGS),
        max_size=12,
    ),
)
def test_probabilities_add_up_whatever_satellites_say(
    sound_class: SoundClass, listeners: list[Listener]
) -> None:
    where = locate(sound_class, listeners)
    if where is not None:
        assert sum(item.probability for item in where.rooms) + where.elsewhere == pytest.approx(1)
        assert {item.room for item in where.rooms} == {item.room for item in listeners}
        chances = [item.probability for item in where.rooms]
        assert chances == sorted(chances, reverse=True)
        assert all(0 <= item <= 1 for item in (*chances, where.elsewhere))
