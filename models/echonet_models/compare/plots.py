"""The picture of the page: what an approach reaches for what it costs."""

from pathlib import Path

from matplotlib.figure import Figure

from .tables import Results, ranked

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


def draw(results: Results, path: Path) -> None:
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
