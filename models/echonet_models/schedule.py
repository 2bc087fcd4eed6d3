"""How long and how fast a network learns."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """How long and how fast to learn."""

    pools: int = 20
    pool_size: int = 4000
    # Making a mixture takes about as long as learning from it: each is learned from twice.
    passes: int = 2
    batch: int = 32
    learning_rate: float = 1.5e-3
    seed: int = 1
    teacher_weight: float = 0.02
    # So many pools without a better tune split end the training.
    patience: int = 6

    @property
    def steps(self) -> int:
        """How many batches the whole training has."""
        return self.pools * self.passes * (self.pool_size // self.batch)
