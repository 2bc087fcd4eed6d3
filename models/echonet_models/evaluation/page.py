"""Writes docs/evaluation.md: ten lines for whoever lives with it, then everything that was measured."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from echonet_satellite.protocol import SoundClass

from ..data.folds import FOLDS
from ..data.manifest import CLASSES
from .decisions import FEWER, LEVELS, MORE, PRICES, SAFETY
from .plots import draw_curves
from .tables import NAMES, detection_table, headline, markdown, ranking_table, rate, scene_table

PAGE_TEXT = """\
# How well it hears

{plain}

**EchoNet is not a certified alarm.** It adds ears to your smoke, carbon monoxide and burglar alarms and replaces none.

![Recall of each class against false alarms](images/evaluation/curves.png)

*Each curve is one class: how many recordings are recognised (up) against how many false alarms there are in a day of
background sound (right); the dots are low, medium and high.*

## How this was measured

Everything on this page is about *strangers*: recordings from collections that the judged network never heard anything
of. The collections of each class were dealt out to {folds} folds; for each fold a network was trained without it, and
judged on it; all answers are pooled. Thresholds for a fold are those chosen on the other folds. The released network
was trained on all of it, with the thresholds that all folds together ask for. `scripts/models train`, `evaluate` and
`export` make all of it anew. Numbers in brackets are 95 % intervals: of a share over recordings, of a rate of false
alarms the exact Poisson interval. Clips of doubtful label are left out.

The released file: SHA-256 `{sha256}`.

## Telling sounds apart

The score of a clip is the highest mean of the outputs over about a second. *echonet* beside the networks that it
learned from, as they are: `yamnet`, the network that Frigate and others use, and `mn04`, which EchoNet's began as. They
were not made for these classes; their outputs that mean one of ours count.

{headline}

{ranking}

## What the detector finds

The satellite's own detector, at each sensitivity. *Other sounds* are short clips chosen to be mistaken (fireworks,
doors, cutlery, ringtones, applause), *imitations* those that imitate that very class; a home hears few an hour.
*Background* is {hours:.1f} hours of music, talk, ambience and effects; a piece of it in which YAMNet and mn04 together
hear a class themselves (a siren on a street) is no negative of that class.

{levels}

### Alarms, by kind

What is called an alarm is many things. Smoke and carbon monoxide alarms of today are known by their rhythm as well
(T3, T4), whatever the classifier says.

{kinds}

## In noise, and in rooms

{scenes}

## What the sensitivities cost

At medium each further false alarm a day must buy {price:.1f} points of recall of {safety}
({alarm:.1f} of an alarm or a gunshot, {dog:.1f} of a dog, {presence:.2f} of presence). A day is 24 hours of
background, and half an hour of nothing but other sounds. Low has {fewer:.0f} times fewer false alarms than medium,
high {more:.1f} times more; where there are too few to count, the highest scores say how fast they grow rare. No class
is deafened: at low it still hears more than half of what it hears at medium.

{thresholds}
"""


LEVEL_TEXT = """\
### Sensitivity {level}

All safety classes together: {safety} false alarms in 24 h of background.

{table}"""

PLAIN_TEXT = """\
At the usual setting (*medium*), of ten sounds that it meets for the first time it recognises about

{found}.

Of ten rooms in which somebody talks and walks about it notices **{noticed:.0f}** within half a minute.

In a day of music, talk and street noise it gives **{often}** false alarms of the kinds that may wake you (measured:
{count} in {hours:.1f} hours; at *low* {low}, at *high* {high} in the same hours).

What to set: leave everything at *medium*. Where a class disturbs (a workshop, a television that is always on), set that
class to *low*; where you would rather be woken once too often (a nursery), set it to *high*."""


def write_page(figures: Mapping[str, Any], docs: Path) -> Path:
    """Write the page and its picture; return the page's path."""
    picture = docs / "images" / "evaluation" / "curves.png"
    picture.parent.mkdir(parents=True, exist_ok=True)
    draw_curves(figures["curves"], figures["rules"], picture)
    levels = figures["levels"]
    medium = levels["medium"]
    text = PAGE_TEXT.format(
        plain=plain_words(figures),
        folds=FOLDS,
        sha256=figures["file"]["sha256"],
        headline=headline(figures),
        ranking=ranking_table(figures),
        hours=medium["safety_background"]["hours"],
        levels="\n\n".join(
            LEVEL_TEXT.format(
                level=level,
                safety=rate(levels[level]["safety_background"], "per_day"),
                table=detection_table(levels[level]),
            )
            for level in map(str, LEVELS)
        ),
        kinds=markdown(
            ["kind", "clips", *(f"heard at {level}" for level in LEVELS)],
            [
                [kind, str(own["clips"])]
                + [str(levels[str(level)]["alarm_kinds"][kind]["heard"]) for level in LEVELS]
                for kind, own in medium["alarm_kinds"].items()
            ],
        ),
        scenes=scene_table(medium["scenes"]),
        safety=", ".join(NAMES[name] for name in SAFETY),
        price=100 * PRICES[SoundClass.GLASS_BREAK],
        alarm=100 * PRICES[SoundClass.ALARM],
        dog=100 * PRICES[SoundClass.DOG],
        presence=100 * PRICES[SoundClass.PRESENCE],
        fewer=FEWER,
        more=MORE,
        thresholds=markdown(
            ["class", *map(str, LEVELS)],
            [
                [NAMES[name]]
                + [
                    f"{figures['rules']['decision'][str(name)]['thresholds'][str(level)]:.3f}"
                    for level in LEVELS
                ]
                for name in CLASSES
            ],
        ),
    )
    path = docs / "evaluation.md"
    path.write_text(text, encoding="utf-8")
    return path


def plain_words(figures: Mapping[str, Any]) -> str:
    """Return ten lines that need no explanation."""
    medium = figures["levels"]["medium"]
    classes = medium["classes"]

    def heard(name: str) -> str:
        return f"{10 * classes[name]['recall']['value']:.0f}"

    # Presence is a scene: whether somebody is noticed within half a minute.
    best = sorted(
        (name for name in CLASSES if name is not SoundClass.PRESENCE),
        key=lambda name: -classes[str(name)]["recall"]["value"],
    )
    noticed = 10 * medium["scenes"]["presence"]["recall"]["value"]
    total = medium["safety_background"]
    often = f"{total['per_day']:.1f}" if total["count"] else f"fewer than {total['high']:.0f}"
    low, high = (figures["levels"][level]["safety_background"]["count"] for level in ("low", "high"))
    found = ", ".join(f"**{heard(str(name))}** of {NAMES[name]}" for name in best)
    return PLAIN_TEXT.format(
        found=found,
        noticed=noticed,
        often=often,
        count=total["count"],
        hours=total["hours"],
        low=low,
        high=high,
    )
