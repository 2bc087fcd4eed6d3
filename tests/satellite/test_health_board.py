"""The health of the satellite, joined of what several threads tell at once."""

import threading

from echonet_satellite.health_board import HealthBoard
from echonet_satellite.protocol import Health, Problem, SourceHealth


def test_what_is_told_last_is_how_it_is_whichever_thread_is_slow() -> None:
    """Told out of order, a problem that just began would look as if it were over."""
    told: list[Health] = []
    begun, go_on = threading.Event(), threading.Event()

    def tell(health: Health) -> None:
        if not begun.is_set():
            begun.set()
            assert go_on.wait(60)
        told.append(health)

    board = HealthBoard(tell)
    hearing = threading.Thread(target=lambda: board.hear(Health(problems=(Problem.TOO_SLOW,))))
    watch = threading.Thread(target=lambda: board.report("hearing", (Problem.HEARING_STUCK,)))
    hearing.start()
    assert begun.wait(60)
    watch.start()
    watch.join(0.1)
    go_on.set()
    for thread in (hearing, watch):
        thread.join(60)
    assert [health.problems for health in told] == [
        (Problem.TOO_SLOW,),
        (Problem.TOO_SLOW, Problem.HEARING_STUCK),
    ]


def test_the_same_report_is_no_news_and_none_takes_it_back() -> None:
    told: list[Health] = []
    board = HealthBoard(told.append)
    board.report("clock", ())
    board.report("clock", (Problem.CLOCK_WRONG,))
    board.report("clock", (Problem.CLOCK_WRONG,))
    board.report("clock", ())
    assert [health.problems for health in told] == [(Problem.CLOCK_WRONG,), ()]


def test_what_hangs_in_one_room_is_wrong_with_that_room_alone() -> None:
    told: list[Health] = []
    board = HealthBoard(told.append)
    board.hear(Health(sources=(SourceHealth(room="Kitchen"), SourceHealth(room="Attic"))))
    board.report("hearing", (Problem.HEARING_STUCK,), room="Attic")
    assert told[-1].problems == (Problem.HEARING_STUCK,)
    assert told[-1].sources == (
        SourceHealth(room="Kitchen"),
        SourceHealth(room="Attic", problems=(Problem.HEARING_STUCK,)),
    )
    board.report("hearing", (Problem.HEARING_STUCK,), room="Kitchen")
    board.report("hearing", (), room="Attic")
    assert told[-1].problems == (Problem.HEARING_STUCK,)
    assert [source.room for source in told[-1].sources if source.problems] == ["Kitchen"]
