"""How long and how fast a network learns."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
import math

WARM_UP_STEPS = 300
LOWEST_SHARE = 0.01


class Weighting(StrEnum):
    """How much a step that holds a class counts against one that does not, see `losses`.

    It stands here and not there so that the command line knows a schedule without loading TensorFlow.
    """

    ROOT = "root"
    """Half the square root of how much rarer it is."""
    NONE = "none"
    """As much."""
    FULL = "full"
    """As much more as it is rarer."""
    FOCAL = "focal"
    """As much, but whatever the network is sure of counts little."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """How long and how fast to learn.

    A cosine with warm restarts (Loshchilov and Hutter, 2017): in every round the learning rate rises to its height and
    falls to nearly nothing, so that a round's end is a network that can be used and the next goes on from it.
    """

    rounds: tuple[int, ...] = (14, 4)
    """How many pools of mixtures each round learns from."""
    pool_size: int = 4000
    # Making a mixture, and having the teachers listen to it, takes about as long as learning from it three times.
    passes: int = 3
    batch: int = 32
    learning_rate: float = 1.5e-3
    # The later a round, the less it has to unlearn.
    restart_share: float = 0.7
    seed: int = 1
    # Beside the labels' 1. With more of the teachers a network with random weights learns all of it later.
    teacher_weight: float = 0.02
    portrait_weight: float = 0.1
    assistant_weight: float = 0.5
    weighting: Weighting = Weighting.ROOT
    # So many pools without a better tune split end the training. A restart costs some before it pays: as many as the
    # longer round has.
    patience: int = 14

    @property
    def pools(self) -> int:
        """How many pools the whole training has."""
        return sum(self.rounds)

    @property
    def steps_per_pool(self) -> int:
        """How many batches a pool gives."""
        return self.passes * self.pool_size // self.batch

    def learning_rate_at(self, step: int) -> float:
        """Return the learning rate of a batch, counted from the first of the training."""
        rounds = list(self._rounds())
        while len(rounds) > 1 and step >= rounds[0][1]:
            step -= rounds.pop(0)[1]
        height, steps = rounds[0]
        warm_up = min(WARM_UP_STEPS, steps // 10)
        if step < warm_up:
            return height * (step + 1) / warm_up
        passed = min(1.0, (step - warm_up) / max(1, steps - warm_up))
        return height * max(LOWEST_SHARE, (1 + math.cos(math.pi * passed)) / 2)

    def _rounds(self) -> Iterator[tuple[float, int]]:
        for number, pools in enumerate(self.rounds):
            height = self.learning_rate * self.restart_share**number
            yield height, pools * self.steps_per_pool
