"""The pictures of the page, small PNG files on white so that they can be read on a light and on a dark page."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
import numpy as np

from ..datasets import CLASSES
from .events import RATIOS
from .trade_off import OVERALL

PICTURES = Path("images") / "evaluation"
# Told apart by colour-blind people as well (Okabe and Ito), and by their dashes.
STYLES: dict[str, dict[str, Any]] = {
    "echonet": {"color": "#0072b2", "linestyle": "-", "linewidth": 1.8},
    "yamnet_tuned": {"color": "#d55e00", "linestyle": "--", "linewidth": 1.2},
    "mn04_tuned": {"color": "#009e73", "linestyle": ":", "linewidth": 1.6},
    "yamnet_50": {"color": "#cc79a7", "linestyle": "--", "linewidth": 1.2},
    "yamnet_80": {"color": "#e69f00", "linestyle": "-.", "linewidth": 1.2},
}
DOTS_PER_INCH = 80
LEAST_FALSE_ALARMS = 0.3


def draw(figures: Mapping[str, Any], directory: Path) -> list[str]:
    """Draw all pictures into a folder and return their names."""
    directory.mkdir(parents=True, exist_ok=True)
    pictures: dict[str, Callable[[Mapping[str, Any]], Figure]] = {
        "trade-off.png": _trade_off,
        "roc.png": _roc,
        "reliability.png": _reliability,
        "confusion.png": _matrices,
        "events.png": _events,
        "latency.png": _latency,
    }
    for name, picture in pictures.items():
        picture(figures["systems"]).savefig(directory / name, dpi=DOTS_PER_INCH, facecolor="white")
    return list(pictures)


def _style(key: str) -> dict[str, Any]:
    return STYLES.get(key, {"color": "#555555"})


def _small_multiples(rows: int, columns: int) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(9.5, 2.3 * rows), layout="constrained")
    axes = figure.subplots(rows, columns)
    return figure, list(np.ravel(axes))


def _curves(
    systems: Mapping[str, Any], key: str, plot: Callable[[Axes, Mapping[str, Any], dict[str, Any]], None]
) -> tuple[Figure, list[Axes]]:
    figure, axes = _small_multiples(2, 4)
    for axis, name in zip(axes, CLASSES, strict=True):
        for system, found in systems.items():
            if str(name) in found[key]:
                plot(axis, found[key][str(name)], {**_style(system), "label": found["title"]})
        axis.set_title(_word(name), fontsize=9)
        axis.grid(alpha=0.3)
        axis.tick_params(labelsize=7)
    handles = {}
    for axis in axes:
        handles.update(dict(zip(*reversed(axis.get_legend_handles_labels()), strict=True)))
    figure.legend(handles.values(), handles.keys(), loc="outside upper center", ncols=4, fontsize=8)
    return figure, axes


def _trade_off(systems: Mapping[str, Any]) -> Figure:
    def plot(axis: Axes, curve: Mapping[str, Any], style: dict[str, Any]) -> None:
        false = np.maximum(curve["false_alarms_per_hour"], LEAST_FALSE_ALARMS)
        axis.step(false, 100 * np.array(curve["missed"]), where="post", **style)
        axis.set_xscale("log")

    figure, axes = _curves(systems, "detection_error", plot)
    for axis in axes:
        axis.set_ylim(0, 100)
    figure.supxlabel("false alarms in an hour of other sounds and backgrounds", fontsize=9)
    figure.supylabel("missed, %", fontsize=9)
    return figure


def _roc(systems: Mapping[str, Any]) -> Figure:
    def plot(axis: Axes, curve: Mapping[str, Any], style: dict[str, Any]) -> None:
        axis.plot(curve["false_positive_rate"], curve["true_positive_rate"], **style)

    figure, axes = _curves(systems, "curves", plot)
    for axis in axes:
        axis.set_xscale("symlog", linthresh=0.01)
        axis.set_xlim(0, 1)
        axis.set_xticks([0, 0.01, 0.1, 1], ["0", ".01", ".1", "1"])
    figure.supxlabel("share of windows without the sound that are taken for it", fontsize=9)
    figure.supylabel("share of windows with it that are found", fontsize=9)
    return figure


def _reliability(systems: Mapping[str, Any]) -> Figure:
    figure, axes = _small_multiples(3, 3)
    shown = {key: found["reliability"] for key, found in systems.items() if found["reliability"]}
    # Scores of a peer are the same at each of its thresholds.
    shown = {key: shown[key] for key in ("echonet", "yamnet_50") if key in shown}
    for axis, name in zip(axes, [OVERALL, *map(str, CLASSES)], strict=True):
        axis.plot([0, 1], [0, 1], color="#999999", linewidth=0.8)
        for system, found in shown.items():
            title = "YAMNet's scores" if system != "echonet" else systems[system]["title"]
            axis.plot(
                found[name]["confidence"],
                found[name]["share"],
                marker="o",
                markersize=3,
                label=title,
                **_style(system),
            )
        axis.set_title("all classes" if name == OVERALL else _word(name), fontsize=9)
        axis.grid(alpha=0.3)
        axis.tick_params(labelsize=7)
    axes[0].legend(fontsize=7)
    figure.supxlabel("confidence", fontsize=9)
    figure.supylabel("share of windows that really hold the class", fontsize=9)
    return figure


def _matrices(systems: Mapping[str, Any]) -> Figure:
    figure = Figure(figsize=(10, 4.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    own = systems["echonet"]
    _matrix(left, own["confusion"], "share of clips in which it is detected, %")
    _matrix(right, own["mean_confidence"], "mean of the highest confidence, %")
    return figure


def _matrix(axis: Axes, table: Mapping[str, Mapping[str, float]], title: str) -> None:
    values = 100 * np.array([list(row.values()) for row in table.values()])
    axis.imshow(values, cmap="Blues", vmin=0, vmax=100, aspect="auto")
    for (row, column), value in np.ndenumerate(values):
        colour = "white" if value > 55 else "black"
        axis.text(column, row, f"{value:.0f}", ha="center", va="center", fontsize=7, color=colour)
    axis.set_xticks(
        range(values.shape[1]), [_word(name) for name in CLASSES], rotation=40, ha="right", fontsize=7
    )
    axis.set_yticks(range(values.shape[0]), [_word(label) for label in table], fontsize=7)
    axis.set_title(title, fontsize=9)


def _events(systems: Mapping[str, Any]) -> Figure:
    names = [name for name in next(iter(systems.values()))["events"]["every"] if name != "rules"]
    figure = Figure(figsize=(10, 3), layout="constrained")
    axes = list(np.ravel(figure.subplots(1, len(names), sharey=True)))
    width = 0.8 / len(systems)
    for axis, name in zip(axes, names, strict=True):
        for number, (system, found) in enumerate(systems.items()):
            rates = [found["events"]["every"][name][ratio] for ratio in RATIOS]
            values = np.array([rate["value"] for rate in rates])
            spread = np.abs(np.array([[rate["low"], rate["high"]] for rate in rates]).T - values)
            places = np.arange(len(RATIOS)) + (number - (len(systems) - 1) / 2) * width
            colour = _style(system)["color"]
            axis.bar(places, values, width, color=colour, label=found["title"])
            axis.errorbar(places, values, spread, fmt="none", ecolor="black", elinewidth=0.7)
        axis.set_xticks(range(len(RATIOS)), RATIOS, fontsize=8)
        axis.set_title(_word(name), fontsize=9)
        axis.grid(axis="y", alpha=0.3)
    axes[0].set_ylabel("event error rate", fontsize=8)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=5, fontsize=8)
    return figure


def _latency(systems: Mapping[str, Any]) -> Figure:
    figure = Figure(figsize=(10, 2.8), layout="constrained")
    axis = figure.subplots()
    chosen = {key: found["latency"] for key, found in systems.items() if found["latency"]}
    height = 0.8 / len(chosen)
    for number, (system, found) in enumerate(chosen.items()):
        style = _style(system)
        for row, name in enumerate(CLASSES):
            measured = found.get(str(name), {})
            if "median_s" not in measured:
                continue
            place = row + (number - (len(chosen) - 1) / 2) * height
            median, late = measured["median_s"]["value"], measured["p95_s"]["value"]
            axis.plot([median, late], [place, place], color=style["color"], linewidth=1)
            axis.plot(median, place, "o", color=style["color"], markersize=3.5)
            axis.plot(late, place, "|", color=style["color"], markersize=6)
        axis.plot([], [], "o-", color=style["color"], markersize=3.5, label=systems[system]["title"])
    axis.set_yticks(range(len(CLASSES)), _words(CLASSES), fontsize=8)
    axis.invert_yaxis()
    axis.set_xlabel("seconds from the onset to the detection: median and 95th percentile", fontsize=8)
    axis.grid(axis="x", alpha=0.3)
    axis.legend(fontsize=7)
    return figure


def _words(names: Sequence[str]) -> list[str]:
    return [_word(name) for name in names]


def _word(name: str) -> str:
    return str(name).replace("_", " ")
