"""The page about the choices for rare classes, from what was measured."""

from pathlib import Path

from ..losses import MOST_BY_FULL, MOST_BY_ROOT
from ..networks.streaming import StreamingShape
from ..schedule import Schedule
from . import tables
from .amounts import Amounts
from .conclusions import conclusions
from .plot import PICTURE, PICTURES, draw
from .run import Comparison
from .scoring import FALSE_PER_HOUR, Measure

PAGE = "training-choices.md"

TEXT = """\
<!-- Written by `echonet-models choices --write`; what is changed here by hand is lost. -->
# Training for sounds that are rare

{quick}The sounds that matter most are the rarest. They are rare in two ways, and each has a remedy of its own:

- **Few recordings.** A network that hears what there is hears a lot of dogs and hardly any breaking glass.
  *Sampling* chooses how often an event in the training is of each class, whatever there is of it.
- **Few steps.** A shot is over in a moment, and most of the ten seconds around it hold none. A network that
  never says "gunshot" is right nearly always. *Weighting* lets a step that holds a class count more than one
  that does not.

Both can be overdone. The same few recordings heard over and over are learned by heart, and a network for which
a missed shot costs a hundred times as much as a false one shouts at every slammed door. EchoNet chose the middle
of both: more of what is rare, but not all alike, and half the square root of full balancing. Besides, it learns
from two *teachers*, which know what else there is to hear. Here is what each of these choices is worth.

## What was compared

{compared}

Each recipe trains the same network (channels {channels}, {recurrent} recurrent units) on {pools} × {pool_size}
mixtures of ten seconds, {passes} times each. All that sample alike hear the very same mixtures. All are scored on
the same {tune} mixtures of recordings that none of them learned from, sampled as chosen.

What each choice gives to each class:

{given}

The weights are those of a step that holds the class, against one that does not: half the square root of how much
rarer it is, {most_by_root:g} at most, or all of it, {most_by_full:g} at most; `unweighted` and `focal` have none.
`focal` is the focal loss of Lin et al. ("Focal loss for dense object detection", ICCV 2017), gamma 2: what the
network is sure of counts little, so that the few steps that are hard are not lost among the many that are easy.

## What came out

Means over the classes. *Average precision* sums up all thresholds. *Heard* is the share of mixtures with a class
in which it is heard, with the threshold at which, in an hour of mixtures without it, {false} are taken for it: what
EchoNet aims at among sounds that are like breaking glass, and these mixtures are full of such. The last two
columns say how readily a network shouts if nobody chooses its thresholds (one half for all); EchoNet's are chosen,
so it is the columns before that count.

Differences are points of per cent, with 95 % intervals from a bootstrap over the mixtures, both recipes on the
same ones. **Bold**: the interval does not hold zero.

{overview}

![How much better or worse than the chosen recipe]({picture})

Lines are the intervals of the means, grey dots the single classes.

{per_class}

## What follows

{conclusions}

## Limits

- A small network and a short training. The one that is released has channels {full_channels}, {full_recurrent}
  recurrent units, and learns from up to {full_pools} × {full_pool_size} mixtures. What helps at the beginning need
  not help at the end.
- One training for each recipe. How far chance alone moves it is shown by one more, not by many.
- The mixtures are drawn anew in the bootstrap, not the recordings in them, of which some classes have few (see the
  table): with other recordings the differences may be others, beyond the intervals too.
- Thresholds are chosen on the mixtures that they are used on, alike for all recipes. The figures are for comparing
  these recipes; how well EchoNet hears is in [its evaluation](evaluation.md).
- A weighting changes how large the loss of the classes is, and with it how much the teachers count beside it; their
  weight stayed as it is.
"""


def write_page(comparison: Comparison, docs: Path) -> Path:
    """Write the page and its picture into a folder and return the page's path."""
    outcomes, amounts = comparison.outcomes, comparison.amounts
    draw(outcomes, docs / PICTURES)
    usual, shipped = Schedule(), StreamingShape()
    text = TEXT.format(
        quick="**A quick look with a tiny network: no measurement.** " if comparison.quick else "",
        compared=tables.compared([outcome.variant for outcome in outcomes]),
        channels=_channels(amounts.shape),
        recurrent=amounts.shape.recurrent,
        **_counts(amounts),
        given=tables.given(outcomes, comparison.support),
        most_by_root=MOST_BY_ROOT,
        most_by_full=MOST_BY_FULL,
        false=f"{FALSE_PER_HOUR:g}",
        overview=tables.overview(outcomes),
        picture=(PICTURES / PICTURE).as_posix(),
        per_class="\n\n".join(
            f"Class by class, {tables.NAMES[measure]}, per cent:\n\n{tables.per_class(outcomes, measure)}"
            for measure in Measure
        ),
        conclusions=conclusions(outcomes),
        full_channels=_channels(shipped),
        full_recurrent=shipped.recurrent,
        full_pools=usual.pools,
        full_pool_size=usual.pool_size,
    )
    path = docs / PAGE
    path.write_text(text, encoding="utf-8")
    return path


def _counts(amounts: Amounts) -> dict[str, int]:
    return {
        "pools": amounts.pools,
        "pool_size": amounts.pool_size,
        "passes": amounts.passes,
        "tune": amounts.tune,
    }


def _channels(shape: StreamingShape) -> str:
    return ", ".join(str(convolution.channels) for convolution in shape.convolutions)
