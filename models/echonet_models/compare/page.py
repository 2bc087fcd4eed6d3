"""The page of the comparison, from what every approach has left in its file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .plots import PICTURES, draw
from .tables import MEASURES, Results, extras, of_the_papers, one_class, per_class, support, which

PAGE = "compare.md"

TEXT = """\
<!-- Written by `echonet-models compare`; what is changed here by hand is lost. -->
# The approaches that EchoNet grew from

Every approach of five papers, trained and scored by one command on the same windows of the same recordings:
0.96 s of sound, eight classes or everyday sound. The papers: A, anomalies of sound at home (gunshot, breaking
glass, baby); B, sounds for security cameras; C, gunshots for homes and vehicles; D, rare events with a recurrent
network (DCASE 2017 task 2); E, screams. Beside them stand YAMNet, mn04 and the model that EchoNet ships
{released}.

Learned from at most {train} windows of each class, chosen by at most {tune} (how strict, when to stop) and scored
on at most {validation}, which share no recording. Recordings take turns, so that none outweighs the others.
Brackets are 95 % intervals from a bootstrap over recordings. What was scored:

{support}

With so few recordings of some classes (two of screams) most differences between neighbours in these tables are
chance. An approach that is trained here learns from some thousand windows on one core in minutes; YAMNet and mn04
learned from two million clips.

This is the table of the literature, and asks what its systems were made for: which of a few sounds a short, clean
recording holds, out of collections that were learned from. What a home asks besides (sounds in noise, false alarms
in a day, other microphones) is in [how well it hears](evaluation.md).

## Which class

A window counts for the class that is likeliest. Macro is the mean over the nine, micro the share of windows that
are right. Size is that of the parameters, CPU the processor time for a second of sound on one thread, features
included, as a part of what YAMNet takes for the same windows; the two took turns. Here YAMNet hears each window once.
In a home it hears everything twice, as its windows overlap by half.

{which}

![What it reaches for what it costs]({pictures}/cost.png)

`echonet` and `yamnet` say everyday sound where no class reaches its threshold. EchoNet's are those of medium
sensitivity, made for few false alarms in a day and not for this table; `-tuned` are chosen for it on the tune
windows. EchoNet hears the clip up to the window and two steps (0.16 s) beyond it, mn04 the ten seconds that end
with it, all others the window alone.{missing}

## One class or not

{one_class}

## Class by class

![Recall of each class]({pictures}/recall.png)

{per_class}

## What the papers report

Each on data of its own, some with other classes: to be put beside the figures above, not compared with them.

{papers}

## Further experiments

{extras}
"""


def write_page(results: Results, amounts: Mapping[str, Any], docs: Path, missing: list[str]) -> Path:
    """Write the page and its pictures into a folder and return the page's path.

    Args:
        results: of `run.compare`.
        amounts: of windows, as in the results.
        docs: the folder.
        missing: approaches that have no result yet.
    """
    draw(results, docs / PICTURES)
    text = TEXT.format(
        **amounts,
        released=_released(results),
        support=support(results),
        which=which(results),
        one_class=one_class(results),
        per_class="\n\n".join(f"### {title}\n\n{per_class(results, key)}" for key, title in MEASURES.items()),
        papers=of_the_papers(),
        extras=extras(results),
        pictures=PICTURES.as_posix(),
        missing=f"\n\nNot measured yet: {', '.join(missing)}." if missing else "",
    )
    path = docs / PAGE
    path.write_text(text, encoding="utf-8")
    return path


def _released(results: Results) -> str:
    """Return which files of the released network these figures are of: one, unless some are older than others."""
    files = sorted({str(result["key"]["version"]) for result in results if "version" in result["key"]})
    return (
        f"(`model.tflite` with the SHA-256 {' and '.join(f'`{file}`' for file in files)})"
        if files
        else "(not measured yet)"
    )
