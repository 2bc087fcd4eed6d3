"""The evaluation counts what the satellite's detector would do, and its thresholds cost what they claim."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from hypothesis import given, settings, strategies as st
import numpy as np
import pytest

from echonet_models.data.library import Library
from echonet_models.data.manifest import CLASSES, OTHER, Clip
from echonet_models.evaluation.decisions import LEVELS, SHAPES, Evidence, calibrate, choose, decision
from echonet_models.evaluation.figures import alarm_kind, judge, ranking, recall_at, scene_figures, summary
from echonet_models.evaluation.firing import blocks, firing_scores
from echonet_models.evaluation.intervals import rate
from echonet_models.evaluation.pooled import COLUMNS, SECOND, STEP_SAMPLES, Pooled, read_pooled, windows_of
from echonet_models.evaluation.replay import Calibration, detections, stream_of
from echonet_models.evaluation.scenes import EBR_DB, LENGTH, RARE_CLASSES, SceneMaker
from echonet_satellite.decision import StreamEvent, Tone
from echonet_satellite.protocol import Phase, Sensitivity, SoundClass

ONES, ZEROS = np.ones(8, np.float32), np.zeros(8, np.float32)
PLAIN = Calibration(ONES, ZEROS, (ONES, ZEROS))


def sound(seed: int, seconds: float) -> np.ndarray:
    """Return noise with a bang in its middle."""
    generator = np.random.default_rng(seed)
    samples = generator.normal(0, 0.003, round(seconds * 16000)).astype(np.float32)
    middle = len(samples) // 2
    bang = generator.normal(0, 0.3, 2000) * np.exp(-np.arange(2000) / 400)
    samples[middle : middle + 2000] += bang[: len(samples) - middle]
    return samples


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 99), st.floats(1.0, 8.0), st.floats(0.05, 0.95))
def test_a_stream_fires_where_the_detector_does(seed: int, seconds: float, threshold: float) -> None:
    """The fast rule against the slow one: a detector of the satellite, with that threshold."""
    samples = sound(seed, seconds)
    generator = np.random.default_rng(seed)
    steps = len(windows_of(samples))
    logits = np.cumsum(generator.normal(0, 1.5, (steps, COLUMNS)), axis=0).astype(np.float32)
    tones = generator.choice(len(Tone), steps, p=(0.6, 0.2, 0.2)).astype(np.int8)
    stream = replace(stream_of(samples, logits), tones=tones)
    rules = {name: decision(name, dict.fromkeys(LEVELS, threshold)) for name in CLASSES}
    found = {
        event.sound_class
        for event in detections(stream, PLAIN, rules, dict.fromkeys(CLASSES, Sensitivity.MEDIUM))
    }
    probabilities = PLAIN.probabilities(logits)
    fires = {
        name
        for name in CLASSES
        if firing_scores(stream, probabilities, name, SHAPES[name]).max() >= threshold
    }
    assert fires == found


def test_bangs_need_a_rise_in_level() -> None:
    quiet = np.random.default_rng(0).normal(0, 3e-4, 64000).astype(np.float32)
    for samples, expected in ((sound(0, 4.0), True), (quiet, False)):
        logits = np.full((len(windows_of(samples)), COLUMNS), -9, np.float32)
        column = CLASSES.index(SoundClass.GUNSHOT)
        logits[:, [column, SECOND.start + column]] = 5
        stream = stream_of(samples, logits)
        rules = {name: decision(name, dict.fromkeys(LEVELS, 0.5)) for name in CLASSES}
        found = detections(stream, PLAIN, rules, dict.fromkeys(CLASSES, Sensitivity.MEDIUM))
        assert bool(found) is expected


def test_a_network_looks_once_a_step() -> None:
    assert windows_of(np.zeros(16000, np.float32)).shape == (-(-(16000 + 8000) // STEP_SAMPLES), 160, 104)


SCORES = st.lists(st.floats(-8, 8), min_size=8, max_size=100).map(np.array)


@settings(max_examples=100)
@given(SCORES, SCORES, SCORES, st.floats(0.5, 20))
def test_sensitivities_differ_and_low_is_not_deaf(
    own: Any, background: Any, others: Any, hours: float
) -> None:
    evidence = Evidence(own, np.ones(len(own)), background, hours, others, hours)
    for chosen in choose(dict.fromkeys(CLASSES, evidence)).values():
        low, medium, high = (chosen.thresholds[level] for level in LEVELS)
        assert low > medium > high
    logits = evidence.choose(0.02)
    low, medium = evidence.recall(np.array([logits[level] for level in LEVELS[:2]]))
    assert low >= 0.5 * medium


def test_a_false_alarm_must_buy_its_price() -> None:
    """Two sounds that score alike in a day of background cost more than the single clip that they hide."""
    own = np.array([5.0, 4.0, 3.0, -1.0])
    background = np.array([-0.5, -0.5, -4.0, -4.0])
    evidence = Evidence(own, np.ones(4), background, 24.0, np.array([-6.0]), 1.0)
    assert 0.5 < evidence.choose(0.5)[Sensitivity.MEDIUM] < 3.0
    assert -3.0 < evidence.choose(0.05)[Sensitivity.MEDIUM] < -1.0
    assert evidence.cost(np.array([-2.0])) == pytest.approx([2.0], abs=0.1)


def test_a_threshold_keeps_away_from_what_another_network_may_score_a_little_higher() -> None:
    """Where nothing is to be lost between the sounds of a class and the others, it lies well between them."""
    own, background = np.array([4.0] * 9), np.array([0.0] * 9)
    evidence = Evidence(own, np.ones(9), background, 24.0, np.array([-6.0]), 1.0)
    assert 0.5 < evidence.choose(0.02)[Sensitivity.MEDIUM] < 3.5


def clip(label: str, number: int, seconds: float = 2.0, sublabel: str = "") -> Clip:
    return Clip(
        path=f"{label}/{number}",
        label=label,
        origin=f"{label}-{number}",
        duration_s=seconds,
        sublabel=sublabel,
    )


def heard(clips: list[Clip], right: float) -> dict[str, np.ndarray]:
    generator = np.random.default_rng(1)
    logits = {}
    for one in clips:
        rows = generator.normal(-4, 1, (5, COLUMNS)).astype(np.float32)
        if one.sound_class is not None:
            column = CLASSES.index(one.sound_class)
            rows[2, [column, SECOND.start + column]] += right
        logits[one.path] = rows
    return logits


def test_who_hears_well_ranks_well() -> None:
    clips = [clip(label, number) for label in (*map(str, CLASSES), OTHER) for number in range(30)]
    good, bad = (summary(ranking(clips, heard(clips, right), 1)) for right in (9.0, 0.0))
    assert good["mean_average_precision"] > 0.95
    assert good["mean_recall_at_5_per_hour"] > 0.95
    assert bad["mean_average_precision"] < 0.4


def test_recall_is_told_at_so_many_false_alarms_an_hour() -> None:
    # An hour of other sounds: the sixth highest is the threshold.
    clips = [clip(OTHER, number, 36.0) for number in range(100)] + [
        clip("dog", number) for number in range(10)
    ]
    column = CLASSES.index(SoundClass.DOG)
    logits = {}
    for number, one in enumerate(clips):
        rows = np.zeros((1, COLUMNS), np.float32)
        rows[0, column] = number % 100
        logits[one.path] = rows
    recall, threshold = recall_at(judge(SoundClass.DOG, clips, logits))
    assert threshold == 94
    assert recall == 0


def test_calibrated_probabilities_grow_with_logits() -> None:
    clips = [clip(label, number) for label in (*map(str, CLASSES), OTHER) for number in range(30)]
    calibration = calibrate(clips, heard(clips, 6.0))
    assert (calibration.slopes > 0).all()
    rows = np.linspace(-6, 6, 9)[:, None].repeat(COLUMNS, axis=1).astype(np.float32)
    probabilities = calibration.probabilities(rows)
    assert (np.diff(probabilities, axis=0) >= 0).all()
    assert ((probabilities >= 0) & (probabilities <= 1)).all()


def test_alarms_are_told_by_kind() -> None:
    kinds = {
        "us8k:siren": "vehicle siren",
        "smoke_alarm": "smoke alarm",
        "fire_alarm": "smoke alarm",
        "alarm_clock": "alarm clock",
        "alarm": "other alarm",
    }
    assert {name: alarm_kind(clip("alarm", 0, sublabel=name)) for name in kinds} == kinds


def test_false_alarms_near_each_other_are_one() -> None:
    scores = np.zeros(250)
    scores[[3, 5, 200]] = (0.4, 0.6, 0.7)
    assert [value for value in blocks(scores, 10.0) if value > 0] == [0.6, 0.7]
    assert rate(0, 5.0, per_hours=24.0, name="per_day")["high"] > 0


def test_scenes_are_the_same_each_time_and_hold_what_they_say(library: Library) -> None:
    maker = SceneMaker(library.clips, library.recordings, library.lessons, library.class_map, seed=1)
    scenes = maker.rare(2) + maker.presence(1)
    assert len({scene.key for scene in scenes}) == len(scenes)
    assert sum(scene.sound_class in RARE_CLASSES for scene in scenes) == 2 * len(RARE_CLASSES) * len(EBR_DB)
    for scene in scenes[:6] + scenes[-2:]:
        samples = maker.render(scene)
        assert samples.shape == (LENGTH,)
        assert np.abs(samples).max() <= 1
        assert np.array_equal(samples, maker.render(scene))
    loud = next(scene for scene in scenes if scene.sound_class is SoundClass.GUNSHOT and scene.ebr_db > 0)
    samples, onset = maker.render(loud), round((loud.onset_s or 0) * 16000)
    before, after = (
        np.square(part).mean() for part in (samples[onset - 3000 : onset], samples[onset : onset + 3000])
    )
    assert after > 2 * before


def test_how_often_somebody_is_noticed_has_an_interval_of_scenes(library: Library) -> None:
    maker = SceneMaker(library.clips, library.recordings, library.lessons, library.class_map, seed=1)
    scenes = [scene for scene in maker.presence(8) if scene.sound_class is SoundClass.PRESENCE]
    found = StreamEvent(
        number=1,
        sound_class=SoundClass.PRESENCE,
        phase=Phase.END,
        onset_s=1.0,
        at_s=1.0,
        heard_s=2.0,
        confidence=0.9,
        peak_dbfs=-20.0,
    )
    noticed = {scene.key for scene in scenes[::2]}
    bench: Any = SimpleNamespace(
        strangers=SimpleNamespace(made=[(scene, maker) for scene in scenes]),
        find=lambda key, _level: [found] if key in noticed else [],
    )
    recall = scene_figures(bench, Sensitivity.MEDIUM)["presence"]["recall"]
    assert recall["low"] < recall["value"] == 0.5 < recall["high"]


def test_what_was_heard_comes_back(tmp_path: Path) -> None:
    logits = {"a": np.ones((2, COLUMNS), np.float32), "b": np.zeros((3, COLUMNS), np.float32)}
    Pooled(logits).store(tmp_path / "heard.npz")
    found = read_pooled(tmp_path / "heard.npz").logits
    assert {name: rows.tolist() for name, rows in found.items()} == {
        name: rows.tolist() for name, rows in logits.items()
    }


@pytest.mark.parametrize("name", CLASSES)
def test_every_class_has_a_shape_that_the_detector_takes(name: SoundClass) -> None:
    assert decision(name, dict.fromkeys(LEVELS, 0.5)).confirm[0] >= 1
