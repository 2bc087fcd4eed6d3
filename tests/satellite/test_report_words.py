"""What a person reads on the terminal: words, and no terms of the trade."""

from datetime import UTC, datetime

import pytest

from echonet_satellite.protocol import AlarmPattern, Detection, Health, Phase, Problem, SoundClass
from echonet_satellite.report import Report


@pytest.mark.parametrize(
    ("pattern", "shown"),
    [
        (AlarmPattern.T3, "alarm begins (97% sure, a smoke alarm)"),
        (AlarmPattern.T4, "alarm begins (97% sure, a carbon monoxide alarm)"),
        (AlarmPattern.UNKNOWN, "alarm begins (97% sure)"),
    ],
)
def test_a_homeowner_reads_words(pattern: AlarmPattern, shown: str) -> None:
    lines: list[str] = []
    report = Report(as_json=False, write=lines.append)

    report.message(
        Detection(
            id="1",
            sequence=1,
            sound_class=SoundClass.ALARM,
            phase=Phase.START,
            onset=datetime(2026, 11, 27, tzinfo=UTC),
            confidence=0.97,
            peak_dbfs=-6.0,
            pattern=pattern,
        )
    )

    assert [line.split("  ", 1)[1].strip() for line in lines] == [shown]


def test_a_problem_is_read_once_and_not_with_each_figure_that_changes() -> None:
    lines: list[str] = []
    report = Report(as_json=False, write=lines.append)
    for problems, factor in [
        ((), 0.1),
        ((Problem.CLOCK_WRONG,), 0.1),
        ((Problem.CLOCK_WRONG,), 0.3),
        ((), 0.3),
    ]:
        report.message(Health(problems=problems, realtime_factor=factor))
    assert [line.split("  ", 1)[1] for line in lines] == [
        "Health: all is well",
        "Health: clock wrong",
        "Health: all is well",
    ]
