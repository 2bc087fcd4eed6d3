"""Cleaning finds planted silence and planted strangers, keeps what is merely unusual, and obeys a person."""

import argparse
from dataclasses import replace
from pathlib import Path

from hypothesis import given, settings, strategies as st
import numpy as np
import pytest

from echonet_models.activity import STEP
from echonet_models.cleaning import (
    DOUBTED,
    DROPPED,
    KEPT,
    Judgement,
    Verdict,
    decide,
    judge,
    settle,
    to_steps,
)
from echonet_models.cleaning_report import add_parser, find, table, write_page
from echonet_models.datasets import Clip
from echonet_models.decisions import Decision, adopt_decisions, read_decisions, standing_decisions
from echonet_models.embeddings import EMBEDDING_HOP, window_count
from echonet_models.errors import ModelsError
from echonet_models.recordings import SAMPLE_RATE, Recordings
from echonet_models.representatives import Limits, Representatives, find_representatives, window_levels
from echonet_models.teachers import TEACHER_CLASSES, WINDOW
from echonet_satellite.protocol import SoundClass

SIZE = 32
WINDOWS = 10
# A direction of its own for each kind of sound; the classes of the test and what may be planted among them.
KINDS = {
    name: np.eye(SIZE)[place]
    for place, name in enumerate(["dog", "baby_cry", "gunshot", "glass_break", "other", "silence", "strange"])
}


def clip(label: str, number: int, quality: str = "") -> Clip:
    return Clip(
        path=f"{label}/{number}.flac",
        label=label,
        origin=f"{label}-{number}",
        source="a",
        duration_s=3.0,
        quality=quality,
    )


def like(kind: str, windows: int, seed: int) -> np.ndarray:
    """Return embeddings of a kind, [windows, size], with some spread."""
    spread = np.random.default_rng(seed).normal(0, 0.05, (windows, SIZE))
    windows_of_it: np.ndarray = (KINDS[kind] + spread).astype(np.float16)
    return windows_of_it


@pytest.fixture(scope="module")
def representatives() -> Representatives:
    """What four classes, everything else and silence are like: forty recordings each; every clip ends in silence."""
    clips, embedded, levels = [], {}, {}
    for label in ("dog", "baby_cry", "gunshot", "glass_break", "other"):
        for number in range(40):
            item = clip(label, number)
            clips.append(item)
            embedded[item.path] = np.vstack([like(label, 7, number), like("silence", 3, number)])
            levels[item.path] = np.array([0.0] * 7 + [-60.0] * 3, np.float32)
    return find_representatives(embedded, levels, clips)


QUIET, LOUD = np.float32(-60), np.float32(-3)
DEAF = np.zeros(WINDOWS, np.float32)


def judge_planted(
    representatives: Representatives, planted: str, places: set[int], level: np.float32, heard: float = 0
) -> np.ndarray:
    """Return the verdicts on a clip of a dog in which some windows are something else."""
    place = sorted(places)
    embedded, levels = like("dog", WINDOWS, 99), np.zeros(WINDOWS, np.float32)
    embedded[place], levels[place] = like(planted, len(place), 7), level
    return judge(SoundClass.DOG, embedded, levels, DEAF + np.float32(heard), representatives)


PLACES = st.sets(st.integers(0, WINDOWS - 1), max_size=WINDOWS - 1)


@settings(max_examples=30)
@given(places=PLACES)
def test_planted_silence_is_dropped_and_nothing_else(
    representatives: Representatives, places: set[int]
) -> None:
    found = judge_planted(representatives, "silence", places, QUIET)
    assert set(np.flatnonzero(found == DROPPED)) == places
    assert (found != DOUBTED).all()


@settings(max_examples=30)
@given(places=PLACES, planted=st.sampled_from(["baby_cry", "gunshot", "other"]))
def test_planted_strangers_are_doubted_and_nothing_else(
    representatives: Representatives, places: set[int], planted: str
) -> None:
    found = judge_planted(representatives, planted, places, LOUD)
    assert set(np.flatnonzero(found == DOUBTED)) == places
    assert (found != DROPPED).all()


@settings(max_examples=30)
@given(places=PLACES)
def test_what_is_loud_and_merely_unusual_is_kept(representatives: Representatives, places: set[int]) -> None:
    assert (judge_planted(representatives, "strange", places, LOUD) == KEPT).all()


def test_what_the_teacher_hears_is_kept(representatives: Representatives) -> None:
    assert (judge_planted(representatives, "other", {3, 4}, LOUD, heard=0.5) == KEPT).all()


def test_a_crack_may_resemble_another_crack(representatives: Representatives) -> None:
    shots, levels = like("gunshot", WINDOWS, 5), np.zeros(WINDOWS, np.float32)
    assert (judge(SoundClass.GLASS_BREAK, shots, levels, DEAF, representatives) == KEPT).all()
    assert (judge(SoundClass.DOG, shots, levels, DEAF, representatives) == DOUBTED).all()


def test_of_few_recordings_nothing_loud_is_doubted() -> None:
    clips, embedded, levels = [], {}, {}
    for label, recordings in (("dog", Limits().few - 1), ("baby_cry", 40), ("other", 40)):
        for number in range(recordings):
            item = clip(label, number)
            clips.append(item)
            embedded[item.path] = like(label, 5, number)
            levels[item.path] = np.zeros(5, np.float32)
    few = find_representatives(embedded, levels, clips)
    assert (judge(SoundClass.DOG, like("other", WINDOWS, 1), DEAF, DEAF, few) == KEPT).all()
    assert (judge(SoundClass.BABY_CRY, like("other", WINDOWS, 1), DEAF, DEAF, few) == DOUBTED).all()


def test_a_class_of_two_kinds_has_a_vector_for_each() -> None:
    clips, embedded, levels = [], {}, {}
    for label, kinds in (("presence", ("glass_break", "baby_cry")), ("other", ("other",))):
        for number in range(80):
            item = clip(label, number)
            clips.append(item)
            embedded[item.path] = like(kinds[number % len(kinds)], 5, number)
            levels[item.path] = np.zeros(5, np.float32)
    found = find_representatives(embedded, levels, clips)
    for kind in ("glass_break", "baby_cry"):
        mine, rival, _names = found.compare(SoundClass.PRESENCE, found.distances(like(kind, 4, 1)))
        assert (mine < 0.3).all()
        assert (rival > mine).all()


def test_mislabelled_recordings_do_not_move_a_vector() -> None:
    clips, embedded, levels = [], {}, {}
    for label in ("dog", "baby_cry", "other"):
        for number in range(20):
            item = clip(label, number)
            clips.append(item)
            wrong = label == "dog" and number < 3
            embedded[item.path] = like("other" if wrong else label, 5, number)
            levels[item.path] = np.zeros(5, np.float32)
    found = find_representatives(embedded, levels, clips)
    assert found.distances(like("dog", 5, 77))[:, found.names.index("dog")].max() < 0.15


VERDICTS = st.lists(st.sampled_from([KEPT, DOUBTED, DROPPED]), min_size=1, max_size=20).map(
    lambda values: np.array(values, np.int8)
)


@given(VERDICTS, st.integers(0, 40))
def test_a_step_has_the_best_of_the_verdicts_around_it(windows: np.ndarray, beyond: int) -> None:
    steps = to_steps(windows, (len(windows) - 1) * 3 + 12 + beyond)
    rank = {KEPT: 2, DOUBTED: 1, DROPPED: 0}
    for step, verdict in enumerate(steps):
        apart = np.abs(np.arange(len(windows)) * EMBEDDING_HOP + WINDOW / 2 - (step + 0.5) * STEP)
        near = [window for window in range(len(windows)) if apart[window] <= max(5760, apart.min())]
        assert rank[int(verdict)] == max(rank[int(windows[window])] for window in near)


@given(VERDICTS, st.integers(0, 18), st.integers(1, 10), st.booleans())
def test_a_decision_overrides(windows: np.ndarray, first: int, count: int, keep: bool) -> None:
    steps = to_steps(windows, 30)
    decided = decide(steps, [Decision("x", first * 0.08, (first + count) * 0.08, keep)])
    inside = np.zeros(30, bool)
    inside[first : first + count] = True
    assert (decided[inside] == (KEPT if keep else DROPPED)).all()
    assert (decided[~inside] == steps[~inside]).all()


def test_windows_cover_a_clip_to_its_end() -> None:
    for samples in (1, WINDOW, WINDOW + 1, WINDOW + EMBEDDING_HOP, 160000):
        reach = (window_count(samples) - 1) * EMBEDDING_HOP + WINDOW
        assert samples <= reach < max(samples, WINDOW) + EMBEDDING_HOP


def test_levels_are_told_against_the_loudest_moment() -> None:
    samples = np.zeros(3 * SAMPLE_RATE, np.float32)
    samples[2 * SAMPLE_RATE :: 2] = 0.5
    levels, peak = window_levels(samples, window_count(len(samples)))
    assert levels[0] < -60
    assert levels[-1] == 0
    assert -20 < peak < 0


def test_decisions_are_taken_over_and_taken_back(tmp_path: Path) -> None:
    file, cache = tmp_path / "mine.csv", tmp_path / "cache"
    assert standing_decisions(cache) == []
    file.write_text("path,start_s,stop_s,decision\ndog/1.flac,0.5,1.25,drop\n", encoding="utf-8")
    expected = [Decision("dog/1.flac", 0.5, 1.25, keep=False)]
    assert adopt_decisions(file, cache) == expected == standing_decisions(cache)
    file.write_text("", encoding="utf-8")
    adopt_decisions(file, cache)
    assert standing_decisions(cache) == []


@pytest.mark.parametrize(
    "line", ["dog/1.flac,1,2", "dog/1.flac,1,2,perhaps", "dog/1.flac,2,1,keep", "a,b,c,keep"]
)
def test_a_wrong_line_is_named(tmp_path: Path, line: str) -> None:
    file = tmp_path / "mine.csv"
    file.write_text(f"dog/1.flac,0,1,keep\n{line}\n", encoding="utf-8")
    with pytest.raises(ModelsError, match="line 2"):
        read_decisions(file)
    with pytest.raises(ModelsError, match="cannot read"):
        read_decisions(tmp_path / "absent.csv")


@pytest.fixture
def judgement(representatives: Representatives) -> tuple[Clip, Judgement, Recordings]:
    """A clip of a dog with a baby in the middle, judged."""
    item = clip("dog", 0)
    samples = np.random.default_rng(0).integers(-3000, 3000, WINDOW + 19 * EMBEDDING_HOP).astype(np.int16)
    embedded = like("dog", 20, 1)
    embedded[8:14] = like("baby_cry", 6, 2)
    levels = np.zeros(20, np.float32)
    scores = np.zeros((20, TEACHER_CLASSES), np.uint8)
    scores[8:14, 20] = 200
    judged = judge(SoundClass.DOG, embedded, levels, np.zeros(20, np.float32), representatives)
    return (
        item,
        Judgement(
            {item.path: judged},
            representatives,
            {item.path: embedded},
            {item.path: levels},
            {item.path: scores},
        ),
        Recordings(samples, {item.path: (0, len(samples))}),
    )


def test_the_report_names_the_stretch_and_the_page_lets_listen(
    judgement: tuple[Clip, Judgement, Recordings], tmp_path: Path
) -> None:
    item, judged, sound = judgement
    names = [f"sound {number}" for number in range(TEACHER_CLASSES)]
    findings = find([item], judged, settle(judged.verdicts, sound, []), names)
    assert findings.counts[SoundClass.DOG] == {Verdict.KEEP: 14, Verdict.DOUBTFUL: 6, Verdict.DROP: 0}
    (stretch,) = findings.stretches
    assert (stretch.verdict, stretch.rival) == (Verdict.DOUBTFUL, "baby_cry")
    assert stretch.taught.startswith("sound 20 0.78")
    # Windows 8 to 13 are the stranger's; a step takes the best verdict around it, so only their inside is doubted.
    assert 2.2 < stretch.first * 0.08 < stretch.stop * 0.08 < 3.8
    assert item.path in table(findings)
    page = write_page(findings, sound, tmp_path, 5).read_text(encoding="utf-8")
    assert item.path in page
    assert sorted(path.name for path in tmp_path.iterdir()) == ["000.flac", "000.png", "index.html"]


def test_recordings_take_turns_on_the_page(
    judgement: tuple[Clip, Judgement, Recordings], tmp_path: Path
) -> None:
    item, judged, sound = judgement
    same = [replace(item, path=f"dog/0-{number}.flac") for number in range(3)]
    clips = [*same, replace(item, path="dog/1.flac", origin="dog-1")]
    samples = sound[item.path]
    again = Recordings((samples * 32768).astype(np.int16), {one.path: (0, len(samples)) for one in clips})
    paths = [one.path for one in clips]
    everywhere = Judgement(
        dict.fromkeys(paths, judged.verdicts[item.path]),
        judged.representatives,
        dict.fromkeys(paths, judged.embedded[item.path]),
        dict.fromkeys(paths, judged.levels[item.path]),
        dict.fromkeys(paths, judged.scores[item.path]),
    )
    findings = find(clips, everywhere, settle(everywhere.verdicts, again, []), [""] * TEACHER_CLASSES)
    lines = [line for line in table(findings, 2).splitlines() if ".flac" in line]
    assert [("dog/0-" in line, "dog/1" in line) for line in lines] == [(True, False), (False, True)]
    write_page(findings, again, tmp_path, 2)
    assert len(list(tmp_path.glob("*.flac"))) == 2


def test_what_a_person_kept_is_no_longer_reported(judgement: tuple[Clip, Judgement, Recordings]) -> None:
    item, judged, sound = judgement
    settled = settle(judged.verdicts, sound, [Decision(item.path, 0, 10, keep=True)])
    assert find([item], judged, settled, [""] * TEACHER_CLASSES).stretches == []
    settled = settle(judged.verdicts, sound, [Decision(item.path, 0, 10, keep=False)])
    assert find([item], judged, settled, [""] * TEACHER_CLASSES).unheard[SoundClass.DOG] == [item]


def test_the_command_is_there() -> None:
    parser = argparse.ArgumentParser()
    add_parser(parser.add_subparsers())
    assert parser.parse_args(["clean", "--worst", "3"]).worst == 3
