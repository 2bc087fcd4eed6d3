"""What homes teach is measured as satellites learn it, and what was heard once is not heard again."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="TensorFlow is in .venv-models only: scripts/setup models")

# The benchmark stands on the training code, whose tests run in the only environment that has TensorFlow.
from benchmarks.learning import write_table
from benchmarks.lessons.home import QUIET_REPEATS, REPEATS, Fold, Stretch
from benchmarks.lessons.tapped import culprits, tapped_figures
from benchmarks.lessons.taught import taught_figures
from echonet_models.data.kept import hear, read_rows, store_rows
from echonet_models.data.manifest import CLASSES, OTHER, Clip
from echonet_models.errors import ModelsError
from echonet_models.evaluation.pooled import COLUMNS, STEP_SAMPLES
from echonet_models.evaluation.reference import MOMENTS, assemble, telling
from echonet_satellite.protocol import SoundClass

SIZE, STEPS = 160, 12
DOG = CLASSES.index(SoundClass.DOG)
RULES: dict[str, Any] = {
    "slopes": [1.0] * 8,
    "offsets": [0.0] * 8,
    "second_look": {"slopes": [1.0] * 8, "offsets": [0.0] * 8},
    "decision": {
        str(name): {"smoothing_steps": 2, "thresholds": {"low": 0.9, "medium": 0.7, "high": 0.5}}
        for name in CLASSES
    },
}


def stretch(
    generator: np.random.Generator, path: str, sound: np.ndarray, repeat: int = 0, logit: float = -5.0
) -> Stretch:
    """Return a sound among noise: the same direction of the embedding, never quite."""
    embeddings = (generator.normal(size=(STEPS, SIZE)) + 40 * sound).astype(np.float32)
    logits = np.full((STEPS, COLUMNS), -5, np.float32)
    logits[:, DOG] = logit
    sounding = np.ones(STEPS, np.bool_)
    return Stretch(path, repeat, lambda: np.zeros(STEP_SAMPLES, np.float32), embeddings, logits, sounding)


def fold(seed: int) -> Fold:
    """Return a fold in which a bell can be learned, and thunder is taken for a dog."""
    generator = np.random.default_rng(seed)
    bell, thunder, bark = (
        np.asarray(one, np.float32) for one in np.linalg.qr(generator.normal(size=(SIZE, 3)))[0].T
    )
    nothing = np.zeros(SIZE, np.float32)
    clips = {
        "bell": Clip(path="bell", label=OTHER, origin="bell", sublabel="x:bell"),
        "rain": Clip(path="rain", label=OTHER, origin="rain", sublabel="x:rain"),
        "dog": Clip(path="dog", label="dog", origin="dog"),
    }
    everyday = generator.normal(size=(600, SIZE)).astype(np.float32)
    barks = [
        telling(one.embeddings, one.logits[:, DOG])
        for one in (stretch(generator, "dog", bark, logit=2.0) for _ in range(60))
    ]
    sounds = {name: barks if name is SoundClass.DOG else [] for name in CLASSES}
    reference = assemble(everyday, sounds, everyday[:0])
    true = stretch(generator, "dog", bark, logit=2.0)
    quiet = [reference.place(stretch(generator, "rain", nothing).embeddings) for _ in range(80)]
    return Fold(
        clips=clips,
        reference=reference,
        everyday=(reference.place(everyday), np.array(["rain"] * 600)),
        background=[np.tile(one, (60, 1)) for one in quiet[:30]],
        other=[(clips["rain"], one) for one in quiet[30:]],
        true=[(clips["dog"], true, reference.place(true.embeddings))],
        things=[[stretch(generator, "bell", bell, repeat) for repeat in range(REPEATS)]],
        culprits=[[stretch(generator, "rain", thunder, repeat, 2.0) for repeat in range(7)]],
    )


def test_a_bell_that_sounds_alike_is_known_again() -> None:
    figures = taught_figures([fold(seed) for seed in range(3)])
    own = figures["linear discriminant/3"]
    assert own["things"] == 3
    assert own["recall"] > 0.9
    # The threshold of a fold was chosen on the others: of 90 stretches of background few are taken for the bell.
    assert own["background"] <= 5 / (3 * 30 * 60 * 0.16 / 3600)
    assert QUIET_REPEATS < REPEATS
    assert own["recall"] >= figures["linear discriminant/1"]["recall"]


def test_a_false_alarm_rings_no_more_after_two_taps_and_dogs_still_do() -> None:
    figures = tapped_figures([fold(0)], RULES)["medium"]
    assert figures == {"sources": 1, "before": 5, "after": 0, "lost": {"dog": 0.0}}


def test_only_other_sounds_that_ring_are_tapped_away() -> None:
    generator = np.random.default_rng(0)
    heard = {
        path: stretch(generator, path, np.zeros(SIZE), logit=logit)
        for path, logit in (("bell", 2.0), ("rain", -5.0), ("dog", 2.0))
    }
    assert culprits(heard, fold(0).clips, RULES) == ["bell"]


def test_telling_moments_are_the_highest_and_come_again_where_there_are_few() -> None:
    embeddings = np.arange(5, dtype=np.float32)[:, None]
    assert telling(embeddings, np.array([0, 3, 1, 9, 2]))[:, 0].tolist() == [3, 1, 4]
    assert telling(embeddings[:2], np.array([0, 1]))[:, 0].tolist() == [1, 0, 1]
    assert MOMENTS == 3


def test_what_was_heard_before_a_stop_is_not_heard_again(tmp_path: Path) -> None:
    asked: list[str] = []
    stops = ["300"]

    def listen(name: str) -> dict[str, np.ndarray]:
        if name in stops:
            stops.clear()
            raise KeyboardInterrupt
        asked.append(name)
        return {"rows": np.full((int(name) % 3 + 1, 2), int(name))}

    names = [str(number) for number in range(310)]
    with pytest.raises(KeyboardInterrupt):
        hear(tmp_path, names, listen, "a test")
    asked[:] = []
    heard = hear(tmp_path, names, listen, "a test")
    assert asked == names[200:], "the first two hundred were kept"
    assert list(heard) == names
    assert all((own["rows"] == int(name)).all() for name, own in heard.items())
    assert {len(own["rows"]) for own in heard.values()} == {1, 2, 3}


def test_rows_come_back_under_their_names(tmp_path: Path) -> None:
    stored = {"a": {"x": np.ones((2, 3)), "y": np.arange(2)}, "b": {"x": np.zeros((1, 3)), "y": np.arange(1)}}
    store_rows(tmp_path / "rows.npz", stored)
    found = read_rows(tmp_path / "rows.npz")
    assert {name: own["y"].tolist() for name, own in found.items()} == {"a": [0, 1], "b": [0]}
    assert not list(tmp_path.glob("*.unfinished"))


def test_the_table_goes_to_its_place_or_says_that_there_is_none(tmp_path: Path) -> None:
    figures: dict[str, Any] = {
        "sha256": "ab" * 32,
        "taught": {"linear discriminant/3": {"recall": 0.81, "background": 1.0, "other": 4.25}}
        | {"linear discriminant/5": {"recall": 0.9, "background": 1.0, "other": 4.0}},
        "false_alarms": {"medium": {"sources": 5, "before": 22, "after": 3, "lost": {"dog": 0.01}}},
    }
    for own in figures["taught"].values():
        own |= {"things": 66, "threshold": -0.01}
    page = tmp_path / "models.md"
    page.write_text("no place\n", encoding="utf-8")
    with pytest.raises(ModelsError, match="has no place for the table"):
        write_table(figures, page)
    page.write_text(
        "a\n<!-- written by `.venv-models/bin/python benchmarks/learning.py --write` -->\n"
        "before\n<!-- end -->\nb\n",
        encoding="utf-8",
    )
    write_table(figures, page)
    text = page.read_text(encoding="utf-8")
    assert "| linear discriminant | 3 | 0.810 | 1.00 | 4.2 |" in text
    assert "| medium | 5 | 22 | 3 | 86% | 1.0% |" in text
    assert "before" not in text
    assert text.startswith("a\n")
    assert text.endswith("b\n")
