"""What follows from the figures, in sentences, so that the page says no more than they do."""

from collections.abc import Sequence

from ..evaluation.aims import word
from ..evaluation.intervals import CONFIDENCE
from .run import Outcome
from .scoring import Measure, Verdict
from .tables import points
from .variants import Question

SHORT = {Measure.PRECISION: "average precision", Measure.RECALL: "what is heard"}


def conclusions(outcomes: Sequence[Outcome]) -> str:
    """Return the paragraphs of the page; the first of the outcomes is the chosen recipe."""
    others = [outcome for outcome in outcomes if outcome.variant.question not in (None, Question.CHANCE)]
    again = [outcome for outcome in outcomes if outcome.variant.question is Question.CHANCE]
    lines = [_line(outcome, again) for outcome in others]
    parts = [
        "\n".join(lines),
        *(_chance(outcome) for outcome in again),
        _classes(others),
        _verdict(others, again),
    ]
    return "\n\n".join(parts)


def says_something(outcome: Outcome, measure: Measure, again: Sequence[Outcome]) -> bool:
    """Return whether a mean lies beyond its interval, and further off than that of the same recipe again."""
    mean = outcome.scores[measure].mean
    noise = max((abs(each.scores[measure].mean.difference) for each in again), default=0.0)
    return mean.verdict is not Verdict.ALIKE and abs(mean.difference) > noise


def _line(outcome: Outcome, again: Sequence[Outcome]) -> str:
    told = []
    for measure in Measure:
        mean = outcome.scores[measure].mean
        note = ""
        if mean.verdict is not Verdict.ALIKE and not says_something(outcome, measure, again):
            note = ", but no further off than the chosen recipe from other random weights"
        told.append(f"{SHORT[measure]} {points(mean.difference)}, {mean.verdict}{note}")
    return f"- `{outcome.variant.name}` ({outcome.variant.question}): {'; '.join(told)}.{_by_class(outcome)}"


def _by_class(outcome: Outcome) -> str:
    found = []
    for verdict in (Verdict.BETTER, Verdict.WORSE):
        for measure in Measure:
            classes = outcome.scores[measure].classes
            names = [word(name) for name, figure in classes.items() if figure.verdict is verdict]
            if names:
                found.append(f"{verdict} in {SHORT[measure]} of {', '.join(names)}")
    return f" Class by class: {'; '.join(found)}." if found else " No class is told apart."


def _chance(outcome: Outcome) -> str:
    moved = " and ".join(
        f"{points(outcome.scores[measure].mean.difference)} in {SHORT[measure]}" for measure in Measure
    )
    return (
        f"The chosen recipe from other random weights (`{outcome.variant.name}`) differs from itself by {moved}. "
        "The intervals know nothing of this: they say what other mixtures would change, and not what "
        "another training would."
    )


def _classes(others: Sequence[Outcome]) -> str:
    figures = [
        figure
        for outcome in others
        for measure in Measure
        for figure in outcome.scores[measure].classes.values()
    ]
    beyond = sum(figure.verdict is not Verdict.ALIKE for figure in figures)
    expected = (1 - CONFIDENCE) * len(figures)
    return (
        f"Of the {len(figures)} differences of single classes {beyond} lie beyond their interval; chance alone would "
        f"give about {expected:.0f}."
    )


def _verdict(others: Sequence[Outcome], again: Sequence[Outcome]) -> str:
    better, worse = _which(others, again, Verdict.BETTER), _which(others, again, Verdict.WORSE)
    open_names = [outcome.variant.name for outcome in others if outcome not in (*better, *worse)]
    sentences = []
    for outcomes, what in ((better, "better"), (worse, "worse")):
        if outcomes:
            sentences.append(
                f"On the whole {what} than the chosen recipe: {_listed([each.variant.name for each in outcomes])}."
            )
    if open_names:
        sentences.append(f"Neither better nor worse, as far as this can tell: {_listed(open_names)}.")
    sentences.append(
        "What is better is worth a full training."
        if better
        else "So nothing here speaks for another recipe than the chosen one."
    )
    return " ".join(sentences)


def _which(others: Sequence[Outcome], again: Sequence[Outcome], verdict: Verdict) -> list[Outcome]:
    """Return those that are so by one measure at least, and the contrary by none."""
    chosen = []
    for outcome in others:
        told = {
            outcome.scores[measure].mean.verdict
            for measure in Measure
            if says_something(outcome, measure, again)
        }
        if told == {verdict}:
            chosen.append(outcome)
    return chosen


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
