"""Pictures of the evaluation."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np

from .tables import NAMES

mpl.use("Agg")
from matplotlib import pyplot as plt

_COLOURS = ("#c1121f", "#1d7874", "#e09f3e", "#5f0f40", "#fb5607", "#6a994e", "#3a86ff", "#8338ec")


def draw_curves(
    curves: Mapping[str, Sequence[Sequence[float]]], rules: Mapping[str, Any], path: Path
) -> None:
    """Draw recall against false alarms a day for every class, with its three sensitivities.

    Args:
        curves: per class rows of threshold, recall of clips, false alarms in 24 h of background.
        rules: decisions with their thresholds.
        path: where to.
    """
    figure, axes = plt.subplots(figsize=(8, 4.6), layout="constrained")
    for colour, (name, rows) in zip(_COLOURS, curves.items(), strict=True):
        threshold, recall, per_day = np.array(rows).T
        shown = np.maximum(per_day, 0.3)
        axes.plot(shown, recall, color=colour, label=NAMES[name], linewidth=1.6)
        for marker, level in zip(("v", "o", "^"), ("low", "medium", "high"), strict=True):
            place = rules["decision"][name]["thresholds"][level]
            at = int(np.abs(threshold - place).argmin())
            axes.plot(shown[at], recall[at], marker, color=colour, markersize=6)
    axes.set(
        xscale="log",
        xlabel="false alarms in 24 h of background (0.3: none counted)",
        ylabel="recall of clips",
    )
    axes.set(xlim=(0.25, 2000), ylim=(0, 1.02))
    axes.grid(alpha=0.25)
    axes.legend(loc="lower right", fontsize=8, ncols=2)
    figure.savefig(path, dpi=110)
    plt.close(figure)
