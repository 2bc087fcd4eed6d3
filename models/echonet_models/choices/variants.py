"""What is compared: the recipe that was chosen, and recipes that differ from it in one thing each."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from echonet_satellite.protocol import SoundClass

from ..datasets import CLASSES, Clip
from ..schedule import Schedule, Weighting


class Question(StrEnum):
    """What a variant differs in."""

    WEIGHTING = "weighting"
    SAMPLING = "sampling"
    TEACHERS = "teachers"
    CHANCE = "chance"


class Sampling(StrEnum):
    """How often an event of a mixture is of each class."""

    CHOSEN = "chosen"
    UNIFORM = "uniform"
    NATURAL = "natural"


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """One way to train.

    Attributes:
        name: unique, and the name of its files.
        question: what it differs in from the chosen recipe; None for that itself.
        what: how it differs, in a few words for a person.
    """

    name: str
    question: Question | None
    what: str
    weighting: Weighting = Weighting.ROOT
    sampling: Sampling = Sampling.CHOSEN
    teacher_weight: float = Schedule().teacher_weight
    seed: int = 1


CHOSEN = Variant(name="chosen", question=None, what="what EchoNet is trained with")
VARIANTS = (
    CHOSEN,
    Variant(
        name="unweighted",
        question=Question.WEIGHTING,
        what="every step counts the same: plain binary cross-entropy",
        weighting=Weighting.NONE,
    ),
    Variant(
        name="balanced",
        question=Question.WEIGHTING,
        what="a step with the class counts as many times more as it is rarer",
        weighting=Weighting.FULL,
    ),
    Variant(
        name="focal",
        question=Question.WEIGHTING,
        what="steps of which the network is sure count little, whatever they hold",
        weighting=Weighting.FOCAL,
    ),
    Variant(
        name="uniform",
        question=Question.SAMPLING,
        what="every class is heard as often",
        sampling=Sampling.UNIFORM,
    ),
    Variant(
        name="natural",
        question=Question.SAMPLING,
        what="every class is heard as often as it has clips",
        sampling=Sampling.NATURAL,
    ),
    Variant(
        name="untaught",
        question=Question.TEACHERS,
        what="learns from the labels alone",
        teacher_weight=0.0,
    ),
    Variant(
        name="other-seed",
        question=Question.CHANCE,
        what="the chosen recipe again, from other random weights: how much is chance",
        seed=2,
    ),
)


def shares(
    sampling: Sampling, chosen: Mapping[SoundClass, float], clips: Sequence[Clip]
) -> dict[SoundClass, float]:
    """Return how often an event is of each class; the sum is one.

    Args:
        sampling: how.
        chosen: the shares of the chosen recipe.
        clips: those that are learned from.
    """
    match sampling:
        case Sampling.CHOSEN:
            parts = dict(chosen)
        case Sampling.UNIFORM:
            parts = dict.fromkeys(CLASSES, 1.0)
        case Sampling.NATURAL:
            counted = Counter(clip.sound_class for clip in clips)
            parts = {name: float(counted[name]) for name in CLASSES}
    whole = sum(parts.values())
    return {name: part / whole for name, part in parts.items()}
