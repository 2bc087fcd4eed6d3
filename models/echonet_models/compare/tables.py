"""The tables of the page, in Markdown."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..data.manifest import Clip
from .windows import LABELS, Windows

Results = Sequence[Mapping[str, Any]]
MEASURES = {"f1": "F1", "recall": "Recall", "precision": "Precision", "specificity": "Specificity"}
PER_CLASS = {"average_precision": "Average precision"} | MEASURES
NOTHING = "–"
COST = ("size", "CPU, YAMNet = 1", "what it is for")


def markdown(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table."""
    lines = [f"| {' | '.join(header)} |", f"| {' | '.join('---' for _ in header)} |"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


def which(results: Results) -> str:
    """Return one row for each approach that names the class, the best macro F1 first."""
    rows = []
    for result in ranked(results):
        figures = result["figures"]
        macro = (_share(figures["macro"][key]) for key in MEASURES)
        more = (_share(figures["micro"]["accuracy"]), _share(figures["mean_average_precision"]))
        rows.append([f"`{result['name']}`", result["paper"] or "beside", *macro, *more, *_cost(result)])
    head = ("approach", "paper", *(f"macro {title}" for title in MEASURES.values()))
    return markdown((*head, "micro accuracy", "mAP", *COST), rows)


def one_class(results: Results) -> str:
    """Return one row for each approach that tells one class from the rest."""
    rows = []
    for result in results:
        if result["target"] is not None:
            own = result["figures"]["classes"].get(result["target"])
            figures = [NOTHING if own is None else _percent(own[key]) for key in PER_CLASS]
            question = (f"`{result['name']}`", result["paper"], f"{word(result['target'])} or not")
            rows.append([*question, *figures, _share(result["figures"]["micro"]["accuracy"]), *_cost(result)])
    return markdown(("approach", "paper", "question", *PER_CLASS.values(), "accuracy", *COST), rows)


def per_class(results: Results, key: str) -> str:
    """Return one measure of every class, a row for each approach."""
    labels = [name for name in LABELS if name != "other" or key != "average_precision"]
    rows = []
    for result in ranked(results):
        classes = result["figures"]["classes"]
        cells = [_percent(classes[name][key]) if name in classes else NOTHING for name in labels]
        rows.append([f"`{result['name']}`", *cells])
    return markdown(("approach", *map(word, labels)), rows)


def support(windows: Sequence[Windows], clips: Sequence[Clip]) -> str:
    """Return how many windows of each class were scored, and of how many recordings and sources they are.

    Args:
        windows: of each fold, as scored.
        clips: those of the manifest.
    """
    source = {clip.path: clip.source for clip in clips}
    names = (
        *("windows", "in each fold", "recordings", "sources"),
        "share of the recordings that the largest source has",
    )
    rows = [[name] for name in names]
    for label in range(len(LABELS)):
        own = [part.take(part.labels == label) for part in windows]
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


def experiments(results: Results) -> str:
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
