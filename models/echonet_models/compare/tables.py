"""The tables of the page, in Markdown."""

from collections.abc import Mapping, Sequence
from typing import Any

from ..evaluation import literature
from ..evaluation.aims import word
from ..evaluation.tables import NOTHING, markdown, share
from .windows import LABELS

Results = Sequence[Mapping[str, Any]]
MEASURES = {
    "f1": "F1",
    "recall": "Recall",
    "precision": "Precision",
    "specificity": "Specificity",
}
BESIDE = "beside"


def which(results: Results) -> str:
    """Return one row for each approach that names the class, the best macro F1 first."""
    rows = [
        [
            f"`{result['name']}`",
            result["paper"] or BESIDE,
            share(result["figures"]["macro"]["f1"]),
            *(share(result["figures"]["macro"][key]) for key in ("recall", "precision")),
            share(result["figures"]["micro"]["accuracy"]),
            *_cost(result),
            result["purpose"] + _part(result),
        ]
        for result in ranked(results)
    ]
    head = ("approach", "paper", "macro F1", "macro recall", "macro precision", "micro accuracy")
    return markdown((*head, "size", "CPU, YAMNet = 1", "what it is for"), rows)


def one_class(results: Results) -> str:
    """Return one row for each approach that tells one class from the rest."""
    rows = []
    for result in results:
        if result["target"] is None:
            continue
        own = result["figures"]["classes"].get(result["target"])
        figures = [NOTHING] * 4 if own is None else [_percent(own[key]) for key in MEASURES]
        rows.append(
            [
                f"`{result['name']}`",
                result["paper"] or BESIDE,
                f"{word(result['target'])} or not",
                *figures,
                share(result["figures"]["micro"]["accuracy"]),
                *_cost(result),
                result["purpose"] + _part(result),
            ]
        )
    head = ("approach", "paper", "question", *MEASURES.values(), "accuracy")
    return markdown((*head, "size", "CPU, YAMNet = 1", "what it is for"), rows)


def per_class(results: Results, key: str) -> str:
    """Return one measure of every class, a row for each approach."""
    rows = []
    for result in ranked(results):
        classes = result["figures"]["classes"]
        cells = [_percent(classes[name][key]) if name in classes else NOTHING for name in LABELS]
        rows.append([f"`{result['name']}`", *cells])
    return markdown(("approach", *map(word, LABELS)), rows)


def support(results: Results) -> str:
    """Return how many windows and recordings of each class were scored."""
    largest = max(ranked(results), key=lambda result: result["figures"]["windows"])
    classes = largest["figures"]["classes"]
    rows = [
        [what, *(str(classes[name][what]) if name in classes else "0" for name in LABELS)]
        for what in ("windows", "recordings")
    ]
    return markdown(("scored", *map(word, LABELS)), rows)


def extras(results: Results) -> str:
    """Return the further tables of approaches that answer more."""
    parts: list[str] = []
    for result in results:
        if (more := result["extra"]) is not None:
            parts.extend((f"### {more['title']}", f"`{result['name']}`. {more['note']}"))
            rows = [[_cell(value) for value in row] for row in more["rows"]]
            parts.append(markdown(more["columns"], rows) if rows else "There are too few recordings for it.")
    return "\n\n".join(parts)


def of_the_papers() -> str:
    """Return what the papers report, each on data of its own."""
    macro, micro = literature.B_MACRO, literature.B_MICRO_PRECISION
    rows = [
        [
            *("B", system, "eight classes, windows of 0.96 s"),
            *(_percent(macro[key][number]) for key in ("recall", "precision", "specificity")),
            *(_percent(micro[number]), NOTHING),
        ]
        for number, system in enumerate(literature.B_SYSTEMS)
    ]
    empty = [NOTHING] * 3
    rows += [
        ["C", "ResNet", "gun or not gun", *empty, _percent(literature.C_GUN_ACCURACY), NOTHING],
        ["D", "CRNN", "rare events in mixtures", *empty, NOTHING, _rate(literature.D_MEAN_ERROR_RATE)],
        ["D", "FNN", "the same", *empty, NOTHING, _rate(literature.D_BASELINE_ERROR_RATE)],
        ["E", "ResNet", f"scream or not: F1 {literature.E_SCREAM_F1:.2f}", *empty, NOTHING, NOTHING],
        [
            *("E", "ResNet, both cities"),
            f"scream or not: F1 {literature.E_SCREAM_F1_ADAPTED:.2f}",
            *empty,
            *(NOTHING, NOTHING),
        ],
    ]
    head = ("paper", "system", "on its own data", "macro recall", "macro precision", "macro specificity")
    return markdown((*head, "micro accuracy", "event error rate"), rows)


def ranked(results: Results) -> list[Mapping[str, Any]]:
    """Return the approaches that name the class, the best macro F1 first."""
    naming = [result for result in results if result["target"] is None]
    return sorted(naming, key=lambda result: -result["figures"]["macro"]["f1"]["value"])


def _cost(result: Mapping[str, Any]) -> tuple[str, str]:
    size, cost = result["size_bytes"], result["cost_of_yamnet"]
    return (
        f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{size / 1e3:.0f} kB",
        NOTHING if cost is None else _rate(cost["value"]),
    )


def _part(result: Mapping[str, Any]) -> str:
    """Return that an approach was scored on fewer windows than the others."""
    return f" (on {result['figures']['windows']} windows)" if result["partly"] else ""


def _percent(share: float) -> str:
    return f"{100 * share:.0f}" if share < 0.995 or share == 1 else f"{100 * share:.1f}"


def _rate(value: float) -> str:
    return f"{value:.2f}"


def _cell(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:.3g}"
