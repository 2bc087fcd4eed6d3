"""Presence adds up over seconds and lasts until nobody was heard for a minute."""

import numpy as np
import pytest

from echonet_satellite.detector import STEP_S, Decision, Detector, StreamEvent
from echonet_satellite.onset import MEASURES
from echonet_satellite.presence import BuildUp, Scene, evidence
from echonet_satellite.protocol import Phase, Sensitivity, SoundClass

SCENE = Scene(build_up_s=6.0, linger_s=60.0)
RULE = Decision(
    thresholds={Sensitivity.LOW: 0.6, Sensitivity.MEDIUM: 0.45, Sensitivity.HIGH: 0.25},
    leave_ratio=0.3,
    confirm=(1, 1),
    smoothing_steps=1,
    hold_s=0.0,
    refractory_s=0.0,
    scene=SCENE,
)
# How long a single sound stays in the network's window.
STEP = [0.9] * 10


def quiet(seconds: float) -> list[float]:
    return [0.02] * round(seconds / STEP_S)


def hear(probabilities: list[float], level: Sensitivity = Sensitivity.MEDIUM) -> list[StreamEvent]:
    detector = Detector([SoundClass.PRESENCE], {SoundClass.PRESENCE: RULE}, {SoundClass.PRESENCE: level})
    events = []
    for probability in probabilities:
        events += detector.push([probability], np.zeros((16, MEASURES), np.float32), -40.0)
    return [event for event in events + detector.flush() if event.phase is not Phase.UPDATE]


def test_a_single_step_is_nobody() -> None:
    assert hear(quiet(5) + STEP + quiet(60)) == []


def test_steps_that_follow_each_other_are_somebody() -> None:
    events = hear(quiet(5) + (STEP + quiet(0.5)) * 8 + quiet(10))
    assert events[0].phase is Phase.START
    assert 5 <= events[0].onset_s <= events[0].at_s <= 12


def test_it_lasts_until_nobody_was_heard_for_a_minute() -> None:
    talk = [0.8] * round(12 / STEP_S)
    start, end = hear(talk + quiet(45) + STEP + quiet(50) + STEP + quiet(90))
    assert (start.phase, end.phase) == (Phase.START, Phase.END)
    last_step_s = 12 + 45 + 50 + 2 * 1.6
    assert last_step_s + 55 <= end.at_s <= last_step_s + 65
    assert end.heard_s == pytest.approx(last_step_s, abs=4)
    assert len(hear(talk + quiet(75) + talk + quiet(75))) == 4


@pytest.mark.parametrize(
    ("less", "more"),
    [(Sensitivity.LOW, Sensitivity.MEDIUM), (Sensitivity.MEDIUM, Sensitivity.HIGH)],
)
def test_higher_sensitivity_is_sooner_sure(less: Sensitivity, more: Sensitivity) -> None:
    talk = quiet(2) + [0.8] * round(20 / STEP_S)
    assert hear(talk, more)[0].at_s < hear(talk, less)[0].at_s


def test_evidence_builds_up_in_its_time_and_leaks_away() -> None:
    level = BuildUp(SCENE, STEP_S)
    rising = [level.push(1.0) for _ in range(round(6.0 / STEP_S))]
    assert rising == sorted(rising)
    assert rising[-1] == pytest.approx(1 - np.exp(-1), abs=0.02)
    falling = [level.push(0.0) for _ in range(round(30.0 / STEP_S))]
    assert falling[-1] < 0.01
    level.push(1.0)
    level.forget()
    assert level.push(0.0) == 0


def test_what_speaks_for_somebody_adds_up_as_independent_evidence_does() -> None:
    presence, speech = (
        np.array([0.5, 0.5, 0.9, 0.9, 0.0], np.float32),
        np.array([0.2, 0.9, 0.5, 0.9, 1.0], np.float32),
    )
    heard = evidence(presence, speech)
    assert heard[:4] == pytest.approx([0.2, 0.9, 0.9, 81 / 82], abs=1e-5)
    assert np.isfinite(heard).all()
    one_by_one = [evidence(*pair) for pair in zip(presence.tolist(), speech.tolist(), strict=True)]
    # One is worked out in double precision.
    assert one_by_one == pytest.approx(heard.tolist(), abs=1e-6)
