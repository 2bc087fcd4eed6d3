"""How much each variant learns from, with which network, and what it is scored on."""

from dataclasses import dataclass

from ..evaluation.intervals import BOOTSTRAPS
from ..networks.streaming import Convolution, StreamingShape
from ..schedule import Schedule
from .variants import Variant


@dataclass(frozen=True, slots=True)
class Amounts:
    """How much each variant learns from, with which network, and how many mixtures it is scored on."""

    shape: StreamingShape
    pools: int = 2
    pool_size: int = 3000
    passes: int = 2
    batch: int = 32
    tune: int = 1200
    resamples: int = BOOTSTRAPS

    def schedule(self, variant: Variant) -> Schedule:
        """Return how a variant learns."""
        return Schedule(
            rounds=(self.pools,),
            pool_size=self.pool_size,
            passes=self.passes,
            batch=self.batch,
            seed=variant.seed,
            teacher_weight=variant.teacher_weight,
            weighting=variant.weighting,
        )


# About a third of the cost of the network that is released.
FULL = Amounts(
    StreamingShape(
        convolutions=(
            Convolution(16, 2, 2),
            Convolution(24, 2, 2),
            Convolution(40, 2, 2),
            Convolution(64, 1, 2),
            Convolution(64, 1, 1, residual=True),
        ),
        bottleneck=96,
        recurrent=96,
    )
)
QUICK = Amounts(
    StreamingShape(
        convolutions=(Convolution(4, 2, 4), Convolution(8, 2, 2), Convolution(8, 2, 2)),
        bottleneck=8,
        recurrent=8,
    ),
    pools=2,
    pool_size=24,
    passes=1,
    batch=8,
    tune=48,
    resamples=50,
)
