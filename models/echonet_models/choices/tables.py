"""The tables of the page, in Markdown."""

from collections.abc import Mapping, Sequence

from ..datasets import CLASSES
from ..evaluation.aims import word
from ..evaluation.tables import NOTHING, markdown
from .run import Outcome, Support
from .scoring import FALSE_PER_HOUR, Figure, Measure, Verdict
from .variants import Question, Sampling, Variant

NAMES = {
    Measure.PRECISION: "average precision",
    Measure.RECALL: f"heard, at {FALSE_PER_HOUR:g} false detections an hour",
}


def compared(variants: Sequence[Variant]) -> str:
    """Return what was compared."""
    rows = [[f"`{each.name}`", str(each.question or NOTHING), each.what] for each in variants]
    return markdown(("recipe", "differs in", "how"), rows)


def given(outcomes: Sequence[Outcome], support: Mapping[str, Support]) -> str:
    """Return what each choice gives to each class."""
    weighted = [outcome for outcome in outcomes if _tells_weights(outcome)]
    rows = []
    for name, each in support.items():
        rows.append(
            [
                word(name),
                f"{each.clips} of {each.recordings}",
                *(f"{100 * each.shares[sampling]:.0f} %" for sampling in Sampling),
                f"{each.mixtures} of {each.tune_recordings}",
                f"{100 * each.steps:.1f} %",
                *(f"{outcome.weights[name]:.1f}" for outcome in weighted),
            ]
        )
    head = ["class", "learned from: clips, of recordings", *(f"events: {each}" for each in Sampling)]
    head += ["scored on: mixtures, of recordings", "share of their steps"]
    return markdown([*head, *(f"weight: `{outcome.variant.name}`" for outcome in weighted)], rows)


def overview(outcomes: Sequence[Outcome]) -> str:
    """Return the means over the classes."""
    rows = []
    for outcome in outcomes:
        cells = [f"`{outcome.variant.name}`", str(outcome.variant.question or NOTHING)]
        for measure in Measure:
            mean = outcome.scores[measure].mean
            chosen = outcome.variant.question is None
            cells += [percent(mean.value), NOTHING if chosen else difference(mean)]
        rows.append([*cells, percent(outcome.even_odds.recall), f"{outcome.even_odds.false_per_hour:.1f}"])
    head = ["recipe", "differs in"]
    for measure in Measure:
        head += [NAMES[measure], "more than chosen"]
    return markdown([*head, "heard at one half", "false detections an hour at one half"], rows)


def per_class(outcomes: Sequence[Outcome], measure: Measure) -> str:
    """Return one measure of every class."""
    rows = []
    for outcome in outcomes:
        classes = outcome.scores[measure].classes
        cells = [_cell(classes.get(str(name)), chosen=outcome.variant.question is None) for name in CLASSES]
        rows.append([f"`{outcome.variant.name}`", *cells])
    return markdown(("recipe", *map(word, CLASSES)), rows)


def percent(value: float) -> str:
    """Return a share in per cent."""
    return f"{100 * value:.1f} %"


def difference(figure: Figure) -> str:
    """Return a difference in points of per cent, with its interval; bold where that does not hold zero."""
    text = f"{points(figure.difference)} ({points(figure.low)} to {points(figure.high)})"
    return text if figure.verdict is Verdict.ALIKE else f"**{text}**"


def points(value: float) -> str:
    """Return a difference in points of per cent, with its sign."""
    return f"{100 * value:+.1f}".replace("-", "−")


def _cell(figure: Figure | None, *, chosen: bool) -> str:
    if figure is None:
        return NOTHING
    if chosen:
        return f"{100 * figure.value:.1f}"
    text = f"{100 * figure.value:.1f} ({points(figure.difference)})"
    return text if figure.verdict is Verdict.ALIKE else f"**{text}**"


def _tells_weights(outcome: Outcome) -> bool:
    """Return whether it weighs a class by how rare it is, in a way of its own."""
    own = outcome.variant.question in (None, Question.WEIGHTING)
    return own and max(outcome.weights.values()) > 1
