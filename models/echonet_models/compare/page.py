"""The page of the comparison and its picture, from what every approach has left in its file."""

from collections import Counter
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from echonet_satellite.card import MODEL_FILE
from echonet_satellite.classifier import PACKAGED_MODEL

from ..evaluation.tables import fill, markdown
from .folds import TUNED_SHARE, Fold
from .windows import LABELS

Results = Sequence[Mapping[str, Any]]
MEASURES = {"f1": "F1", "recall": "Recall", "precision": "Precision", "specificity": "Specificity"}
PER_CLASS = {"average_precision": "Average precision"} | MEASURES
NOTHING = "–"
COST = ("size", "CPU, YAMNet = 1", "what it is for")
PAGE = "compare.md"
PICTURE = Path("images/compare/cost.png")
TICKS = (0.5, 1, 2, 5, 10)
# The papers, told apart by colour-blind people as well (Okabe and Ito), and by their marks.
MARKS = {
    "A": ("#0072b2", "o"),
    "B": ("#009e73", "s"),
    "C": ("#e69f00", "^"),
    "D": ("#cc79a7", "v"),
    "E": ("#d55e00", "D"),
    "": ("#000000", "*"),
}


def write_page(
    results: Results,
    folds: Sequence[Fold],
    per_class: int,
    docs: Path,
    missing: Sequence[str],
) -> Path:
    """Write the page and its picture into the folder `docs` and return the page's path.

    `per_class` windows of a class were cut in a fold, at most; approaches that are `missing` have no result yet.
    """
    _draw(results, docs / PICTURE)
    text = fill(
        __file__,
        "page.txt",
        folds=len(folds),
        per_class=per_class,
        tuned=TUNED_SHARE,
        released=sha256((PACKAGED_MODEL / MODEL_FILE).read_bytes()).hexdigest(),
        fewest=min(len(fold.train) for fold in folds),
        most=max(len(fold.train) for fold in folds),
        support=support_table(folds),
        which=which_table(results),
        one_class=one_class_table(results),
        class_by_class="\n\n".join(
            f"### {title}\n\n{class_table(results, key)}" for key, title in PER_CLASS.items()
        ),
        experiments=further_tables(results),
        picture=PICTURE.as_posix(),
        missing=f"\n\nNot measured yet: {', '.join(missing)}." if missing else "",
    )
    path = docs / PAGE
    path.write_text(text, encoding="utf-8")
    return path


def _draw(results: Results, path: Path) -> None:
    """Draw those whose cost is known."""
    figure = Figure(figsize=(10, 5.5), layout="constrained")
    axis = figure.subplots()
    known = [result for result in ranked(results) if result["cost_of_yamnet"] is not None]
    for paper, (colour, mark) in MARKS.items():
        places = []
        for result in known:
            if result["paper"] == paper:
                place = (max(0.01, result["cost_of_yamnet"]), 100 * result["figures"]["macro"]["f1"]["value"])
                axis.annotate(result["name"], place, xytext=(5, 3), textcoords="offset points", fontsize=7)
                places.append(place)
        if places:
            title = f"paper {paper}" if paper else "beside them"
            axis.scatter(*zip(*places, strict=True), color=colour, marker=mark, s=45, label=title)
            axis.legend(fontsize=8)
    axis.set_xscale("log")
    axis.set_xticks(TICKS, [f"{tick:g}" for tick in TICKS])
    axis.minorticks_off()
    axis.set_xlabel("processor time for a window, YAMNet = 1", fontsize=9)
    axis.set_ylabel("macro F1, %", fontsize=9)
    axis.grid(alpha=0.3)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=80, facecolor="white")


def which_table(results: Results) -> str:
    """Return one row for each approach that names the class, the best macro F1 first."""
    rows = []
    for result in ranked(results):
        figures = result["figures"]
        macro = (_share(figures["macro"][key]) for key in MEASURES)
        more = (_share(figures["micro"]["accuracy"]), _share(figures["mean_average_precision"]))
        rows.append([f"`{result['name']}`", result["paper"] or "beside", *macro, *more, *_cost(result)])
    head = ("approach", "paper", *(f"macro {title}" for title in MEASURES.values()))
    return markdown((*head, "micro accuracy", "mAP", *COST), rows)


def one_class_table(results: Results) -> str:
    """Return one row for each approach that tells one class from the rest."""
    rows = []
    for result in results:
        if result["target"] is not None:
            own = result["figures"]["classes"].get(result["target"])
            figures = [NOTHING if own is None else _percent(own[key]) for key in PER_CLASS]
            question = (f"`{result['name']}`", result["paper"], f"{word(result['target'])} or not")
            rows.append([*question, *figures, _share(result["figures"]["micro"]["accuracy"]), *_cost(result)])
    return markdown(("approach", "paper", "question", *PER_CLASS.values(), "accuracy", *COST), rows)


def class_table(results: Results, key: str) -> str:
    """Return one measure of every class, a row for each approach."""
    labels = [name for name in LABELS if name != "other" or key != "average_precision"]
    rows = []
    for result in ranked(results):
        classes = result["figures"]["classes"]
        cells = [_percent(classes[name][key]) if name in classes else NOTHING for name in labels]
        rows.append([f"`{result['name']}`", *cells])
    return markdown(("approach", *map(word, labels)), rows)


def support_table(folds: Sequence[Fold]) -> str:
    """Return how many windows of each class were scored, and of how many recordings and sources they are."""
    source = {clip.path: clip.source for clip in folds[0].library.clips}
    names = (
        *("windows", "in each fold", "recordings", "sources"),
        "share of the recordings that the largest source has",
    )
    rows = [[name] for name in names]
    for label in range(len(LABELS)):
        own = [fold.scored.take(fold.scored.labels == label) for fold in folds]
        recordings = {
            (str(origin), source[path])
            for part in own
            for origin, path in zip(part.origins, part.clips.tolist(), strict=True)
        }
        sources = Counter(name for _, name in recordings)
        largest = max(sources.values(), default=0) / max(1, len(recordings))
        counts = [len(part) for part in own]
        values = (sum(counts), " + ".join(map(str, counts)), len(recordings), len(sources))
        for row, value in zip(rows, (*values, f"{100 * largest:.0f} %"), strict=True):
            row.append(str(value))
    return markdown(("scored", *map(word, LABELS)), rows)


def further_tables(results: Results) -> str:
    """Return the further tables of approaches that answer more."""
    parts: list[str] = []
    for result in results:
        if (more := result["experiment"]) is not None:
            parts.extend((f"### {more['title']}", f"`{result['name']}`. {more['note']}"))
            rows = [
                [value if isinstance(value, str) else f"{value:.3g}" for value in row] for row in more["rows"]
            ]
            parts.append(markdown(more["columns"], rows))
    return "\n\n".join(parts)


def ranked(results: Results) -> list[Mapping[str, Any]]:
    """Return the approaches that name the class, the best macro F1 first."""
    naming = [result for result in results if result["target"] is None]
    return sorted(naming, key=lambda result: -result["figures"]["macro"]["f1"]["value"])


def word(name: str) -> str:
    """Return a class for a person."""
    return str(name).replace("_", " ")


def _cost(result: Mapping[str, Any]) -> tuple[str, str, str]:
    size, cost = result["size_bytes"], result["cost_of_yamnet"]
    return (
        f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{size / 1e3:.0f} kB",
        NOTHING if cost is None else f"{cost:.2f}",
        result["purpose"],
    )


def _share(found: Mapping[str, float]) -> str:
    return f"{100 * found['value']:.0f} % ({100 * found['low']:.0f}–{100 * found['high']:.0f})"


def _percent(share: float) -> str:
    return f"{100 * share:.0f}" if share < 0.995 or share == 1 else f"{100 * share:.1f}"
