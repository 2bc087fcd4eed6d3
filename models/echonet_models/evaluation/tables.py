"""Figures as Markdown tables, and the text files beside the code that they are filled into."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..data.manifest import CLASSES

NAMES = {str(name): str(name) for name in CLASSES} | {
    "glass_break": "breaking glass",
    "baby_cry": "crying baby",
}


def fill(code: str, file: str, /, **values: Any) -> str:
    """Return the text in `file` beside a file of code, filled in."""
    return Path(code).with_name(file).read_text(encoding="utf-8").format(**values)


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def headline(figures: Mapping[str, Any]) -> str:
    """Return the two figures that everything was chosen by, beside the peers'."""
    names = list(figures["summary"])
    header = ["on sources that it never heard", *names]
    rows = [
        ["mean average precision of the eight classes"]
        + [f"{figures['summary'][name]['mean_average_precision']:.3f}" for name in names],
        ["recall at 5 false alarms an hour of other sounds, mean without presence"]
        + [f"{figures['summary'][name]['mean_recall_at_5_per_hour']:.3f}" for name in names],
    ]
    return markdown(header, rows)


def ranking_table(figures: Mapping[str, Any]) -> str:
    """Return average precision and recall at a number of false alarms, per class and system."""
    systems = list(figures["ranking"])
    header = ["class", "clips (recordings, sources)"]
    header += [f"AP {name}" for name in systems] + [f"recall at 5/h {name}" for name in systems]
    rows = []
    for name in CLASSES:
        own = {system: figures["ranking"][system][str(name)] for system in systems}
        first = own[systems[0]]
        rows.append(
            [NAMES[name], f"{first['clips']} ({first['recordings']}, {first['sources']})"]
            + [interval(own[system]["average_precision"]) for system in systems]
            + [f"{own[system]['recall_at_5_per_hour']:.2f}" for system in systems]
        )
    return markdown(header, rows)


def detection_table(level: Mapping[str, Any]) -> str:
    """Return what the detector finds and how often it is wrong at one sensitivity, per class."""
    header = [
        "class",
        "recall of clips",
        "false alarms in 24 h of background",
        "in an hour of other sounds",
        "in an hour of its imitations",
        "known after (median / 95 %)",
    ]
    rows = []
    for name in CLASSES:
        own = level["classes"][str(name)]
        delay = own["delay_s"]
        rows.append(
            [
                NAMES[name],
                interval(own["recall"]),
                rate(own["background"], "per_day"),
                rate(own["other"], "per_hour"),
                rate(own["imitations"], "per_hour"),
                f"{delay['median']:.2f} / {delay['p95']:.2f} s" if delay else "-",
            ]
        )
    return markdown(header, rows)


def scene_table(scenes: Mapping[str, Any]) -> str:
    """Return the error rates of events in noise, and of presence."""
    rare = scenes["rare_events"]
    ratios = list(next(iter(rare.values()))["by_ratio"])
    header = ["event in a background of 30 s", "error rate", *ratios, "missed", "inserted", "events"]
    rows = [
        [NAMES[name], f"{own['error_rate']:.2f}"]
        + [f"{own['by_ratio'][ratio]:.2f}" for ratio in ratios]
        + [str(own[key]) for key in ("missed", "inserted", "events")]
        for name, own in rare.items()
    ]
    presence = scenes["presence"]
    note = (
        f"Mean error rate {scenes['mean_error_rate']:.2f} (onset within 500 ms, after DCASE 2017 task 2). Somebody in "
        f"a room, by scenes of 30 s: {interval(presence['recall'])} of {presence['recall']['scenes']} are noticed, and "
        f"{rate(presence['false'], 'per_hour')} false an hour of rooms with pets, appliances and weather."
    )
    return f"{markdown(header, rows)}\n\n{note}"


def interval(figure: Mapping[str, float]) -> str:
    """Return a figure with its interval."""
    if "low" not in figure:
        return f"{figure['value']:.2f}"
    return f"{figure['value']:.2f} ({figure['low']:.2f}-{figure['high']:.2f})"


def rate(figure: Mapping[str, Any], key: str) -> str:
    """Return a rate with its interval and what was counted."""
    if not figure["hours"]:
        return "-"
    return f"{figure[key]:.1f} ({figure['low']:.1f}-{figure['high']:.1f}; {figure['count']} in {figure['hours']:.2g} h)"
