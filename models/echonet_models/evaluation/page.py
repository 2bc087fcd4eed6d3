"""Writes docs/evaluation.md: ten lines for whoever lives with it, everything that was measured, and its picture."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
import numpy as np

from echonet_satellite.card import MODEL_FILE, SECOND_LOOK_FILE
from echonet_satellite.protocol import SoundClass

from ..data.folds import FOLDS
from ..data.manifest import CLASSES
from .decisions import FEWER, LEVELS, MORE, PRICES, SAFETY
from .tables import NAMES, detection_table, fill, headline, markdown, ranking_table, rate, scene_table

_COLOURS = ("#c1121f", "#1d7874", "#e09f3e", "#5f0f40", "#fb5607", "#6a994e", "#3a86ff", "#8338ec")


def write_page(figures: Mapping[str, Any], docs: Path) -> Path:
    """Write the page and its picture; return the page's path."""
    picture = docs / "images" / "evaluation" / "curves.png"
    picture.parent.mkdir(parents=True, exist_ok=True)
    decision = figures["rules"]["decision"]
    _draw_curves(figures["curves"], decision, picture)
    levels = {str(level): figures["levels"][level] for level in LEVELS}
    medium = levels["medium"]
    thresholds = [
        [NAMES[name], *(f"{decision[name]['thresholds'][level]:.3f}" for level in levels)] for name in CLASSES
    ]
    kinds = [
        [kind, str(own["clips"]), *(str(found["alarm_kinds"][kind]["heard"]) for found in levels.values())]
        for kind, own in medium["alarm_kinds"].items()
    ]
    text = fill(
        __file__,
        "page.txt",
        folds=FOLDS,
        sha256=figures["files"][MODEL_FILE]["sha256"],
        second_sha256=figures["files"][SECOND_LOOK_FILE]["sha256"],
        headline=headline(figures),
        ranking=ranking_table(figures),
        levels="\n\n".join(_level(level, found) for level, found in levels.items()),
        kinds=markdown(["kind", "clips", *(f"heard at {level}" for level in levels)], kinds),
        scenes=scene_table(medium["scenes"]),
        safety=", ".join(NAMES[name] for name in SAFETY),
        price=100 * PRICES[SoundClass.GLASS_BREAK],
        alarm=100 * PRICES[SoundClass.ALARM],
        dog=100 * PRICES[SoundClass.DOG],
        presence=100 * PRICES[SoundClass.PRESENCE],
        fewer=FEWER,
        more=MORE,
        thresholds=markdown(["class", *levels], thresholds),
        **_plain_words(levels),
    )
    path = docs / "evaluation.md"
    path.write_text(text, encoding="utf-8")
    return path


def _level(level: str, found: Mapping[str, Any]) -> str:
    """Return what the detector finds at one sensitivity."""
    safety = rate(found["safety_background"], "per_day")
    return (
        f"### Sensitivity {level}\n\nAll safety classes together: {safety} false alarms in 24 h of background.\n\n"
        f"{detection_table(found)}"
    )


def _plain_words(levels: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the first ten lines say, which need no explanation."""
    recall = {name: own["recall"]["value"] for name, own in levels["medium"]["classes"].items()}
    # Presence is a scene: whether somebody is noticed within half a minute.
    best = sorted(set(CLASSES) - {SoundClass.PRESENCE}, key=lambda name: (-recall[name], CLASSES.index(name)))
    low, total, high = (own["safety_background"] for own in levels.values())
    return {
        "found": ", ".join(f"**{_of_ten(recall[name])}** of {NAMES[name]}" for name in best),
        "noticed": _of_ten(levels["medium"]["scenes"]["presence"]["recall"]["value"]),
        "often": f"about {total['per_day']:.0f}" if total["count"] else f"fewer than {total['high']:.0f}",
        "alarms": total["count"],
        "hours": total["hours"],
        "low": low["count"],
        "high": high["count"],
    }


def _of_ten(share: float) -> int:
    """Return about how many of ten a share is; ten only where it is all of them."""
    return 10 if share == 1 else min(9, round(10 * share))


def _draw_curves(
    curves: Mapping[str, Sequence[Sequence[float]]], decision: Mapping[str, Any], path: Path
) -> None:
    """Draw recall against false alarms a day for every class, with its three sensitivities.

    `curves` has for each class rows of threshold, recall of clips, false alarms in 24 h of background.
    """
    figure = Figure(figsize=(8, 4.6), layout="constrained")
    axes = figure.subplots()
    for colour, (name, rows) in zip(_COLOURS, curves.items(), strict=True):
        threshold, recall, per_day = np.array(rows).T
        shown = np.maximum(per_day, 0.3)
        axes.plot(shown, recall, color=colour, label=NAMES[name], linewidth=1.6)
        for marker, level in zip(("v", "o", "^"), LEVELS, strict=True):
            at = int(np.abs(threshold - decision[name]["thresholds"][level]).argmin())
            axes.plot(shown[at], recall[at], marker, color=colour, markersize=6)
    axes.set(
        xscale="log",
        xlabel="false alarms in 24 h of background (0.3: none counted)",
        ylabel="recall of clips",
        xlim=(0.25, 2000),
        ylim=(0, 1.02),
    )
    axes.grid(alpha=0.25)
    axes.legend(loc="lower right", fontsize=8, ncols=2)
    figure.savefig(path, dpi=110)
