"""Mixtures made ahead by a process of their own, a pool at a time, so that the trainer never waits for long."""

from collections.abc import Iterable
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
import os
from pathlib import Path
import threading
import time
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from .activity import Labels
from .errors import ModelsError
from .knowledge import UNTAUGHT
from .lessons import Scores, taught_windows
from .mixtures import MixtureMaker
from .portraits import NOT_PORTRAYED, Numbers, Portrayer
from .scene import SAMPLES
from .teachers import TEACHER_CLASSES

NOT_ASKED = np.full((taught_windows(SAMPLES), TEACHER_CLASSES), UNTAUGHT, np.uint8)


class Pool(NamedTuple):
    """Mixtures, ready to learn from."""

    features: NDArray[np.float16]
    """Log-mel frames, [size, frames, mels]."""
    labels: Labels
    """[size, steps, classes]."""
    taught: Scores
    """The teachers' scores as bytes, [size, windows, their classes]; `UNTAUGHT` where they were not asked."""
    yamnet: Numbers
    """What the mixtures sound like to each teacher, see `Portraits`: [size, windows, 1024]."""
    mn04: Numbers
    """[size, frames, 384]."""


class PoolMaker:
    """Makes pools; the same number gives the same pool."""

    def __init__(
        self, maker: MixtureMaker, *, seed: int, size: int, portrayer: Portrayer | None = None
    ) -> None:
        """Make pools of `size` mixtures; with the teachers, they say what each mixture sounds like to them."""
        self._maker, self._seed, self._size, self._portrayer = maker, seed, size, portrayer

    def make(self, number: int) -> Pool:
        """Return a pool."""
        features, labels, taught, portraits = [], [], [], []
        for index in range(self._size):
            mixture = self._maker.mix(np.random.default_rng((self._seed, number, index)))
            features.append(self._maker.features(mixture.samples))
            labels.append(mixture.labels)
            taught.append(NOT_ASKED if mixture.taught is None else mixture.taught)
            portraits.append(self._portrayer.portray(mixture.samples) if self._portrayer else NOT_PORTRAYED)
        yamnet, mn04 = zip(*portraits, strict=True)
        return Pool(*(np.stack(part) for part in (features, labels, taught, yamnet, mn04)))


def store_pool(path: Path, pool: Pool) -> None:
    """Write a pool so that a reader sees all of it or nothing."""
    partial = path.with_suffix(".partial.npz")
    np.savez(partial, allow_pickle=False, **pool._asdict())
    partial.replace(path)


def load_pool(path: Path) -> Pool:
    """Read a stored pool."""
    with np.load(path) as stored:
        return Pool(*(stored[name] for name in Pool._fields))


def join(pools: Iterable[Pool]) -> Pool:
    """Return the mixtures of several pools as one, each part as soon as it is joined no longer kept by itself."""
    parts = [list(pool) for pool in pools]
    return Pool(*(np.concatenate([fields.pop(0) for fields in parts]) for _ in Pool._fields))


def without_sound(pool: Pool) -> Pool:
    """Return a pool with its labels and portraits only: a quarter of its size, and all that the assistant asks for."""
    # A copy: a view would keep the array that it looks into.
    return pool._replace(features=pool.features[:0].copy(), taught=pool.taught[:0].copy())


class Supply(Protocol):
    """What a training takes its pools from."""

    def start(self, first: int) -> None:
        """Prepare for being asked from number `first` on."""
        ...

    def get(self, number: int) -> Pool:
        """Return a pool."""
        ...

    def drop(self, number: int) -> None:
        """Take note that this training no longer needs a pool."""
        ...

    def stop(self) -> None:
        """End what `start` began."""
        ...


class PoolSupply:
    """Pools 0, 1, 2 … of a seed, made ahead in the background and kept as files until they are dropped.

    The process in the background is forked from this one and cannot use TensorFlow if this one has begun to: it would
    wait for ever. So it is given a maker that has all it needs, and not what one is made from: for that the teachers
    may first have to listen to everything.
    """

    def __init__(
        self,
        directory: Path,
        maker: PoolMaker,
        *,
        ahead: int = 2,
        count: int | None = None,
    ) -> None:
        """Prepare; `start` begins the work, which ends after `count` pools, if that is given."""
        self._directory, self._maker, self._ahead, self._count = directory, maker, ahead, count
        self._process: BaseProcess | None = None
        directory.mkdir(parents=True, exist_ok=True)

    def start(self, first: int) -> None:
        """Begin to make pools from number `first`, those that are not there yet."""
        # Seen to before any of them can be dropped: what is made again behind the reader would never be.
        while pool_path(self._directory, first).is_file():
            first += 1
        arguments = (self._directory, self._maker, first, self._ahead, self._count, os.getpid())
        self._process = get_context("fork").Process(target=_supply, args=arguments, daemon=True)
        self._process.start()

    def get(self, number: int) -> Pool:
        """Return a pool, waiting until it is made."""
        path = pool_path(self._directory, number)
        while not path.is_file():
            # Asked before another look at the folder: what has just ended may have made the pool just before.
            ended = self._process is None or not self._process.is_alive()
            if ended and not path.is_file():
                raise ModelsError(
                    "the process that makes mixtures has ended; start the training again to go on"
                )
            time.sleep(0.5)
        return load_pool(path)

    def drop(self, number: int) -> None:
        """Delete a pool that is no longer needed, which lets the next be made."""
        pool_path(self._directory, number).unlink(missing_ok=True)

    def stop(self) -> None:
        """End the background work."""
        if self._process is not None:
            self._process.terminate()
            self._process.join()


class KeptPools(PoolSupply):
    """The first pools of a seed, made once and kept, so that several trainings learn from the same."""

    def __init__(self, directory: Path, maker: PoolMaker, count: int) -> None:
        """Prepare to make so many pools, those that are not there yet."""
        super().__init__(directory, maker, ahead=count, count=count)

    def drop(self, number: int) -> None:
        """Keep the pool: the next training learns from it too."""


def pool_path(directory: Path, number: int) -> Path:
    """Return where a pool lies."""
    return directory / f"pool-{number:03d}.npz"


def _supply(
    directory: Path, maker: PoolMaker, number: int, ahead: int, count: int | None, trainer: int
) -> None:
    # A trainer that is killed stops nothing; the next would find two of these writing the same files.
    threading.Thread(target=_end_with, args=(trainer,), daemon=True).start()
    os.nice(5)
    # One thread: more would spin for tiny matrices and take the trainer's cores.
    with threadpool_limits(1):
        while count is None or number < count:
            if len(list(directory.glob("pool-*.npz"))) > ahead + 2:
                time.sleep(1)
                continue
            if not pool_path(directory, number).is_file():
                store_pool(pool_path(directory, number), maker.make(number))
            number += 1


def _end_with(trainer: int) -> None:
    while os.getppid() == trainer:
        time.sleep(1)
    os._exit(1)
