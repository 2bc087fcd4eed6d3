"""The page of the comparison, from what every approach has left in its file."""

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from echonet_satellite.card import MODEL_FILE
from echonet_satellite.classifier import PACKAGED_MODEL

from ..data.manifest import Clip
from . import literature, tables
from .folds import TUNED_SHARE, Fold
from .plots import PICTURE, draw
from .tables import Results

PAGE = "compare.md"

TEXT = """\
<!-- Written by `echonet-models compare`; what is changed here by hand is lost. -->
# The approaches that EchoNet grew from

Every approach of five papers, trained and scored by one command on the same windows of the same recordings:
0.96 s of sound, eight classes or everyday sound. The papers: A, anomalies of sound at home (gunshot, breaking
glass, baby); B, sounds for security cameras; C, gunshots for homes and vehicles; D, rare events with a recurrent
network (DCASE 2017 task 2); E, screams. Beside them stand YAMNet, mn04 and the network that EchoNet ships.

Sources are left out: those of each class are dealt out to {folds} folds, and what a window is said to hold comes from a
training that heard nothing of its source. Each approach is trained {folds} times, all answers are pooled, and then
scored. At most {per_class} windows of a class are cut in a fold, recordings taking turns; a training learns from
{fewest} to {most} windows of the other folds; by one in {tuned}, of recordings of their own, it is chosen how strict
to be and when to stop. What was scored:

{support}

One source can hold most of a class: its fold asks whether the class is known from the few recordings that are left.
Brackets are 95 % intervals from a bootstrap over recordings, which does not know how sources differ; most differences
between neighbours in these tables are chance. An approach that is trained here learns from some hundred windows on
one core in a minute, `crnn` from fewer and from mixtures; YAMNet and mn04 learned from two million clips, and some of
these recordings may have been among them.

This is the table of the literature, and asks what its systems were made for: which of a few sounds a short, clean
recording holds. What a home asks besides (sounds in noise, false alarms in a day) is in
[how well it hears](evaluation.md).

## Which class

A window counts for the class with the highest score. Macro is the mean over the nine, micro the share of windows that
are right; mAP, the mean average precision of the eight classes, asks how well scores tell the windows of a class from
all others, whatever the threshold. Size is that of the parameters, CPU the processor time of a window on one thread,
features included, as a part of what YAMNet takes for the same windows; the two took turns. Here YAMNet hears each
window once. In a home it hears everything twice, as its windows overlap by half.

{which}

![What it reaches for what it costs]({picture})

`yamnet` and `echonet` say everyday sound where no class reaches one half; thresholds of `-tuned` are chosen on the
windows that the approaches choose by. EchoNet's rows are of the networks that stand for the released file (SHA-256
`{released}`), one for each fold. It hears the 1.6 s that end with a step of 160 ms, of all steps up to the
first behind the window; what it costs is on the page that is linked above. mn04 hears the ten seconds that end with
the window, all others the window alone.{missing}

## One class or not

{one_class}

## Class by class

{class_by_class}

## What the papers report

Each on data of its own, some with other classes, all with recordings of the sources that were learned from: to be put
beside the figures above, not compared with them.

{papers}

## Further experiments

{experiments}
"""


def write_page(
    results: Results,
    folds: Sequence[Fold],
    clips: Sequence[Clip],
    per_class: int,
    docs: Path,
    missing: Sequence[str],
) -> Path:
    """Write the page and its picture into a folder and return the page's path.

    Args:
        results: of `run.compare`.
        folds: what they were measured on.
        clips: those of the manifest.
        per_class: how many windows of a class were cut in a fold, at most.
        docs: the folder.
        missing: approaches that have no result yet.
    """
    draw(results, docs / PICTURE)
    text = TEXT.format(
        folds=len(folds),
        per_class=per_class,
        tuned=TUNED_SHARE,
        released=sha256((PACKAGED_MODEL / MODEL_FILE).read_bytes()).hexdigest(),
        fewest=min(len(fold.train) for fold in folds),
        most=max(len(fold.train) for fold in folds),
        support=tables.support([fold.scored for fold in folds], clips),
        which=tables.which(results),
        one_class=tables.one_class(results),
        class_by_class="\n\n".join(
            f"### {title}\n\n{tables.per_class(results, key)}" for key, title in tables.PER_CLASS.items()
        ),
        papers=tables.markdown(literature.COLUMNS, literature.ROWS),
        experiments=tables.experiments(results),
        picture=PICTURE.as_posix(),
        missing=f"\n\nNot measured yet: {', '.join(missing)}." if missing else "",
    )
    path = docs / PAGE
    path.write_text(text, encoding="utf-8")
    return path
