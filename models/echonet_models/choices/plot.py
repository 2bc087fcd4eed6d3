"""The picture of the page: how much better or worse each variant is than the chosen recipe."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure
import numpy as np

from .run import Outcome
from .scoring import Measure
from .tables import NAMES
from .variants import Question

PICTURES = Path("images") / "choices"
PICTURE = "differences.png"
DOTS_PER_INCH = 80
# Told apart by colour-blind people as well (Okabe and Ito), and by their marks.
MARKS = {
    Question.WEIGHTING: ("#0072b2", "o"),
    Question.SAMPLING: ("#009e73", "s"),
    Question.TEACHERS: ("#d55e00", "D"),
    Question.CHANCE: ("#555555", "x"),
}


def draw(outcomes: Sequence[Outcome], directory: Path) -> None:
    """Draw the picture into a folder."""
    directory.mkdir(parents=True, exist_ok=True)
    others = [outcome for outcome in outcomes if outcome.variant.question is not None]
    figure = Figure(figsize=(9.5, 1.2 + 0.42 * len(others)), layout="constrained")
    for axis, measure in zip(figure.subplots(1, len(Measure), sharey=True), Measure, strict=True):
        for row, outcome in enumerate(others):
            score = outcome.scores[measure]
            classes = [100 * each.difference for each in score.classes.values()]
            axis.plot(classes, np.full(len(classes), row), ".", color="#bbbbbb", markersize=5, zorder=1)
            mean = score.mean
            colour, mark = MARKS[outcome.variant.question or Question.CHANCE]
            axis.plot([100 * mean.low, 100 * mean.high], [row, row], color=colour, linewidth=1.8, zorder=2)
            axis.plot([100 * mean.difference], [row], mark, color=colour, markersize=6, zorder=3)
        axis.axvline(0, color="black", linewidth=0.8, zorder=0)
        axis.set_title(NAMES[measure], fontsize=9)
        axis.set_xlabel("more than the chosen recipe, points of per cent", fontsize=8)
        axis.set_yticks(range(len(others)), [outcome.variant.name for outcome in others], fontsize=9)
        axis.tick_params(axis="x", labelsize=8)
        axis.grid(axis="x", alpha=0.3)
    # Shared by both: the first variant of the table on top.
    figure.axes[0].invert_yaxis()
    figure.savefig(directory / PICTURE, dpi=DOTS_PER_INCH, facecolor="white")
