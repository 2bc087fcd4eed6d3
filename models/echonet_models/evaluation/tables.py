"""Tables of the page, in Markdown, from the figures."""

from collections.abc import Iterable, Mapping, Sequence
import math
from typing import Any

from ..datasets import BACKGROUND, CLASSES, OTHER
from . import IMITATION, LEVELS
from .aims import MEDIUM, Aim, aims, word
from .clips import ALL_KINDS
from .events import MEAN, RATIOS
from .literature import (
    B_MACRO,
    B_MICRO_PRECISION,
    B_SYSTEMS,
    B_WINDOWS,
    D_BASELINE_ERROR_RATE,
    D_ERROR_RATES,
    D_MEAN_ERROR_RATE,
)
from .windows import MEASURES

NOTHING = "–"
AIM_HEADER = ("figure", "aim", "EchoNet", "reached")
Systems = Mapping[str, Mapping[str, Any]]


def markdown(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table."""
    lines = [f"| {' | '.join(header)} |", f"| {' | '.join('---' for _ in header)} |"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)])


def share(found: Mapping[str, Any] | None, *, interval: bool = True, digits: int = 0) -> str:
    """Return a share in per cent."""
    if found is None or not _known(found["value"]):
        return NOTHING
    text = f"{100 * found['value']:.{digits}f} %"
    return f"{text} ({100 * found['low']:.0f}–{100 * found['high']:.0f})" if interval else text


def number(found: Mapping[str, Any] | None, key: str = "value", digits: int = 2) -> str:
    """Return a number with its interval."""
    if found is None or not _known(found[key]) or not _known(found["high"]):
        return NOTHING
    return f"{found[key]:.{digits}f} ({found['low']:.{digits}f}–{found['high']:.{digits}f})"


def aim_table(systems: Systems, own: str) -> str:
    """Return what should be reached and what is, beside the peers."""
    others = [key for key in systems if key != own]
    rows = []
    for aim, row in _aim_rows(systems[own]):
        cells = [_aim_value(aim, aim.find(systems[key])).split(" (")[0] for key in others]
        rows.append([*row, *cells])
    return markdown([*AIM_HEADER, *(systems[key]["title"] for key in others)], rows)


def aim_rows(system: Mapping[str, Any]) -> list[list[str]]:
    """Return what a system should reach and what it does, a row each, under `AIM_HEADER`."""
    return [row for _, row in _aim_rows(system)]


def _aim_rows(system: Mapping[str, Any]) -> Iterable[tuple[Aim, list[str]]]:
    for aim in aims():
        measured = aim.find(system)
        if measured is None:
            continue
        value = measured[_value_key(aim)]
        reached = NOTHING if not _known(value) else "yes" if aim.reached(value) else "**no**"
        yield aim, [aim.text, _bound(aim), _aim_value(aim, measured), reached]


def sensitivity_table(system: Mapping[str, Any]) -> str:
    """Return recall and false alarms at each sensitivity."""
    rows = []
    for name in map(str, CLASSES):
        cells = [word(name)]
        for level in LEVELS:
            found = system["sensitivity"][str(level)]
            alarms = found["false_alarms_per_hour"][name][BACKGROUND]
            cells += [share(found["recall"][name]), f"{alarms['per_hour']:.1f}"]
        recall = system["sensitivity"][MEDIUM]["recall"][name]
        rows.append([*cells, f"{recall['clips']} of {recall['recordings']}"])
    header = ["class"]
    for level in LEVELS:
        header += [f"{level}: heard", "false alarms / h"]
    return markdown([*header, "clips, of recordings"], rows)


def recall_table(systems: Systems) -> str:
    """Return recall of every system at medium."""
    rows = [
        [word(name), *(share(found["sensitivity"][MEDIUM]["recall"][name]) for found in systems.values())]
        for name in map(str, CLASSES)
    ]
    return markdown(["class", *_titles(systems)], rows)


def background_table(systems: Systems) -> str:
    """Return false alarms per 24 hours of each kind of background, all safety classes together."""
    first = next(iter(systems.values()))["sensitivity"][MEDIUM]["safety_per_day"]
    rows = []
    for kind in first:
        cells = [
            number(found["sensitivity"][MEDIUM]["safety_per_day"][kind], "per_day", 0)
            for found in systems.values()
        ]
        label = "**all**" if kind == ALL_KINDS else kind
        rows.append([label, f"{first[kind]['hours']:.2f}", *cells])
    return markdown(["background", "hours heard", *_titles(systems)], rows)


def imitation_table(systems: Systems) -> str:
    """Return false alarms per hour of sounds that imitate each class, and of all other sounds."""
    rows = []
    for name in map(str, CLASSES):
        found = [each["sensitivity"][MEDIUM]["false_alarms_per_hour"][name] for each in systems.values()]
        if not found[0][IMITATION]["hours"]:
            continue
        cells = [number(each[IMITATION], "per_hour", 1) for each in found]
        rows.append(
            [word(name), f"{found[0][IMITATION]['hours']:.2f}", *cells, f"{found[0][OTHER]['per_hour']:.1f}"]
        )
    return markdown(["imitations of", "hours heard", *_titles(systems), "EchoNet, all other sounds"], rows)


def latency_table(systems: Systems) -> str:
    """Return the time from onset to detection."""
    rows = []
    for name in map(str, CLASSES):
        if name not in next(iter(systems.values()))["latency"]:
            continue
        cells = [word(name)]
        for found in systems.values():
            each = found["latency"][name]
            median, late = each.get("median_s"), each.get("p95_s")
            known = median is not None and late is not None
            text = f"{median['value']:.2f} / {late['value']:.2f} s" if known else NOTHING
            cells.append(f"{text} ({each['measured']} of {each['sounds']})")
        rows.append(cells)
    return markdown(["class", *_titles(systems)], rows)


def window_table(system: Mapping[str, Any]) -> str:
    """Return the table of the literature for one system."""
    found = system["windows"]
    rows = [
        [
            word(name),
            *(share(found["classes"][name][key]) for key in MEASURES),
            str(found["classes"][name]["windows"]),
            f"{found['classes'][name]['threshold']:.2f}",
        ]
        for name in map(str, CLASSES)
    ]
    rows += [
        [f"**{mean}**", *(share(found[mean][key]) for key in MEASURES), "", ""] for mean in ("macro", "micro")
    ]
    return markdown(["class", *MEASURES, "windows", "threshold"], rows)


def window_systems_table(systems: Systems) -> str:
    """Return macro and micro means of every system."""
    rows = [
        [
            found["title"],
            *(share(found["windows"]["macro"][key], interval=False) for key in MEASURES),
            *(share(found["windows"]["micro"][key], interval=False) for key in ("precision", "recall", "f1")),
        ]
        for found in systems.values()
    ]
    header = ["", *(f"macro {key}" for key in MEASURES), "micro precision", "micro recall", "micro f1"]
    return markdown(header, rows)


def literature_table() -> str:
    """Return the figures of the papers, on their own data."""
    rows = [
        [
            word(name),
            *(
                f"{100 * each.precision[place]:.0f} / {100 * each.recall[place]:.0f} %"
                for place in range(len(B_SYSTEMS))
            ),
        ]
        for name, each in B_WINDOWS.items()
    ]
    macro = [
        f"{100 * B_MACRO['precision'][place]:.0f} / {100 * B_MACRO['recall'][place]:.0f} %"
        for place in range(len(B_SYSTEMS))
    ]
    micro = [f"{100 * B_MICRO_PRECISION[place]:.0f} %" for place in range(len(B_SYSTEMS))]
    rows += [["**macro**", *macro], ["**micro precision**", *micro]]
    return markdown(["class", *(f"{system}: precision / recall" for system in B_SYSTEMS)], rows)


def event_table(systems: Systems, key: str) -> str:
    """Return event error rates by class, and their means by ratio."""
    rows = []
    names: list[str] = []
    for found in systems.values():
        figures = found["events"][key]
        names = [name for name in figures if name not in (MEAN, "rules")]
        rows.append(
            [
                found["title"],
                *(number(figures[name]["all"]) for name in names),
                *(number(figures[MEAN][place]) for place in ("all", *RATIOS)),
                number(figures[MEAN]["f1"]),
            ]
        )
    means = ("**mean**", *(f"mean at {ratio}" for ratio in RATIOS))
    return markdown(["system", *map(word, names), *means, "mean F1"], rows)


def event_literature_table() -> str:
    """Return the error rates of the papers, on DCASE's own mixtures."""
    rows = [[word(name), f"{rate:.2f}"] for name, rate in D_ERROR_RATES.items()]
    rows += [
        ["**mean**", f"{D_MEAN_ERROR_RATE:.2f}"],
        ["mean of the task's baseline", f"{D_BASELINE_ERROR_RATE:.2f}"],
    ]
    return markdown(["class", "CRNN, its ensembles"], rows)


def rule_table(systems: Systems) -> str:
    """Return the rules that were chosen on the tune mixtures."""
    rows = []
    for found in systems.values():
        for name, rule in found["events"]["every"]["rules"].items():
            rows.append(
                [
                    found["title"],
                    word(name),
                    f"{rule['threshold']:.3f}" if _known(rule["threshold"]) else "never",
                    "the threshold" if rule["onset_level"] is None else f"{rule['onset_level']:.3f}",
                    f"{rule['smoothing_steps'] * 0.08:.2f} s",
                    f"{rule['gap_steps'] * 0.08:.2f} s",
                    f"{rule['shift_s']:+.2f} s",
                ]
            )
    header = ["system", "class", "threshold", "begins at", "median filter", "joined up to", "onset moved by"]
    return markdown(header, rows)


def area_table(systems: Systems) -> str:
    """Return areas under the ROC curves and average precisions of windows."""
    shown = {key: found for key, found in systems.items() if found["curves"]}
    rows = []
    for name in map(str, CLASSES):
        cells = [
            f"{each['area']:.3f} / {each['average_precision']:.2f}"
            if (each := found["curves"].get(name))
            else NOTHING
            for found in shown.values()
        ]
        rows.append([word(name), *cells])
    return markdown(["class", *_titles(shown)], rows)


def reliability_table(system: Mapping[str, Any]) -> str:
    """Return expected calibration errors."""
    rows = [
        [word(name), *(NOTHING if value is None else f"{100 * value:.1f} %" for value in errors)]
        for name, found in system["reliability"].items()
        for errors in [(found["expected_error"], found["expected_error_of_claims"])]
    ]
    return markdown(["class", "over all windows", "over those with a confidence of 0.1 or more"], rows)


def source_table(own: Mapping[str, Any], sources: Mapping[str, Any]) -> str:
    """Return recall and false alarms on known sources, and on sources that were left out, how well it tells them."""
    known, new = own["sensitivity"][MEDIUM], sources["sensitivity"][MEDIUM]
    rows = []
    for name in map(str, CLASSES):
        cells = [word(name)]
        for found in (known, new):
            cells += [
                share(found["recall"][name]),
                number(found["false_alarms_per_hour"][name][OTHER], "per_hour", 1),
            ]
        recall = new["recall"][name]
        cells.append(_precision(sources["average_precision"][name]))
        rows.append(
            [*cells, f"{recall['clips']} of {recall['recordings']}", ", ".join(sources["held_out"][name])]
        )
    totals = [number(found["safety_per_day"][ALL_KINDS], "per_day", 0) for found in (known, new)]
    rows.append(["safety classes, a day of background", "", totals[0], "", totals[1], "", "", ""])
    header = ["class"]
    for kind in ("known sources", "new sources"):
        header += [f"{kind}: heard", "false alarms / h of other sounds"]
    return markdown([*header, "average precision", "clips, of recordings", "left out"], rows)


def audio_table(audio: Mapping[str, Any]) -> str:
    """Return how much was heard."""
    rows = []
    for label in audio["validation"]:
        cells = [word(label)]
        for split in ("tune", "validation"):
            each = audio[split][label]
            cells.append(f"{each['clips']} of {each['recordings']}, {each['minutes']:.0f} min")
        rows.append(cells)
    return markdown(["label", "tune: clips of recordings", "validation: clips of recordings"], rows)


def _titles(systems: Systems) -> list[str]:
    return [str(found["title"]) for found in systems.values()]


def _precision(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.2f}"


def _known(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def _value_key(aim: Aim) -> str:
    return aim.unit if aim.unit.startswith("per_") else "value"


def _aim_value(aim: Aim, found: Mapping[str, Any] | None) -> str:
    if aim.unit == "share":
        # What is not reached must not look as if it were.
        close = found is not None and 0 < aim.bound - found["value"] < 0.005
        return share(found, digits=1 if close else 0)
    digits = 0 if aim.unit == "per_day" else 1 if aim.unit == "per_hour" else 2
    return number(found, _value_key(aim), digits)


def _bound(aim: Aim) -> str:
    sign = "≥" if aim.at_least else "≤"
    return f"{sign} {100 * aim.bound:.0f} %" if aim.unit == "share" else f"{sign} {aim.bound:g}"
