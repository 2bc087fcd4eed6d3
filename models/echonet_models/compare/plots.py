"""The pictures of the page: what an approach reaches for what it costs, and which classes it hears."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
import numpy as np

from ..evaluation.aims import word
from .tables import Results, ranked
from .windows import LABELS

PICTURES = Path("images") / "compare"
DOTS_PER_INCH = 80
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


def draw(results: Results, directory: Path) -> None:
    """Draw both pictures into a folder."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, picture in (("cost.png", _cost(results)), ("recall.png", _recall(results))):
        picture.savefig(directory / name, dpi=DOTS_PER_INCH, facecolor="white")


def _cost(results: Results) -> Figure:
    figure = Figure(figsize=(10, 5.5), layout="constrained")
    axis = figure.subplots()
    for paper, (colour, mark) in MARKS.items():
        own = [result for result in ranked(results) if result["paper"] == paper]
        if not own:
            continue
        title = f"paper {paper}" if paper else "beside them"
        axis.scatter(
            [_cost_of_yamnet(result) for result in own],
            [100 * result["figures"]["macro"]["f1"]["value"] for result in own],
            color=colour,
            marker=mark,
            s=45,
            label=title,
        )
    for result in ranked(results):
        place = (_cost_of_yamnet(result), 100 * result["figures"]["macro"]["f1"]["value"])
        axis.annotate(result["name"], place, xytext=(5, 3), textcoords="offset points", fontsize=7)
    axis.set_xscale("log")
    axis.set_xticks(TICKS, [f"{tick:g}" for tick in TICKS])
    axis.minorticks_off()
    axis.set_xlabel("processor time for a second of sound, YAMNet = 1", fontsize=9)
    axis.set_ylabel("macro F1, %", fontsize=9)
    axis.grid(alpha=0.3)
    axis.legend(fontsize=8)
    return figure


def _recall(results: Results) -> Figure:
    rows = ranked(results)
    values = np.array([[_class_recall(result, name) for name in LABELS] for result in rows])
    figure = Figure(figsize=(8, 1 + 0.3 * len(rows)), layout="constrained")
    axis = figure.subplots()
    axis.imshow(values, vmin=0, vmax=100, cmap="cividis", aspect="auto")
    for (row, column), value in np.ndenumerate(values):
        if np.isfinite(value):
            colour = "white" if value < 55 else "black"
            axis.text(column, row, f"{value:.0f}", ha="center", va="center", fontsize=7, color=colour)
    axis.set_xticks(range(len(LABELS)), [word(name) for name in LABELS], fontsize=8)
    axis.set_yticks(range(len(rows)), [result["name"] for result in rows], fontsize=8)
    axis.set_title("Recall of windows, %", fontsize=9)
    return figure


def _cost_of_yamnet(result: Mapping[str, Any]) -> float:
    cost = result["cost_of_yamnet"]
    return float("nan") if cost is None else max(0.01, float(cost["value"]))


def _class_recall(result: Mapping[str, Any], name: str) -> float:
    classes = result["figures"]["classes"]
    return 100 * float(classes[name]["recall"]) if name in classes else float("nan")
