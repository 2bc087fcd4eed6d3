"""Mixtures made ahead by a process of their own, a pool at a time, so that the trainer never waits for long."""

from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
import os
from pathlib import Path
import time

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from .activity import Labels
from .errors import ModelsError
from .mixtures import MixtureMaker

MakerFactory = Callable[[], MixtureMaker]
Pool = tuple[NDArray[np.float16], Labels]


def make_pool(maker: MixtureMaker, seed: int, number: int, size: int) -> Pool:
    """Return `size` mixtures: features [size, frames, mels] and labels [size, steps, classes]."""
    made = [maker.make((seed, number, index)) for index in range(size)]
    return np.stack([features for features, _ in made]), np.stack([labels for _, labels in made])


def store_pool(path: Path, pool: Pool) -> None:
    """Write a pool so that a reader sees all of it or nothing."""
    partial = path.with_suffix(".partial.npz")
    np.savez(partial, features=pool[0], labels=pool[1])
    partial.replace(path)


def load_pool(path: Path) -> Pool:
    """Read a stored pool."""
    with np.load(path) as stored:
        return stored["features"], stored["labels"]


class PoolSupply:
    """Pools 0, 1, 2 … of a seed, made ahead in the background and kept as files until they are dropped."""

    def __init__(
        self, directory: Path, factory: MakerFactory, *, seed: int, size: int, ahead: int = 2
    ) -> None:
        """Prepare; `start` begins the work."""
        self._directory, self._factory = directory, factory
        self._seed, self._size, self._ahead = seed, size, ahead
        self._process: BaseProcess | None = None
        directory.mkdir(parents=True, exist_ok=True)

    def start(self, first: int) -> None:
        """Begin to make pools from number `first`."""
        arguments = (self._directory, self._factory, self._seed, self._size, first, self._ahead)
        self._process = get_context("fork").Process(target=_supply, args=arguments, daemon=True)
        self._process.start()

    def get(self, number: int) -> Pool:
        """Return a pool, waiting until it is made."""
        path = pool_path(self._directory, number)
        while not path.is_file():
            if self._process is None or not self._process.is_alive():
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


def pool_path(directory: Path, number: int) -> Path:
    """Return where a pool lies."""
    return directory / f"pool-{number:03d}.npz"


def _supply(directory: Path, factory: MakerFactory, seed: int, size: int, first: int, ahead: int) -> None:
    os.nice(5)
    maker, number = factory(), first
    # One thread: more would spin for tiny matrices and take the trainer's cores.
    with threadpool_limits(1):
        while True:
            if len(list(directory.glob("pool-*.npz"))) > ahead + 2:
                time.sleep(1)
                continue
            if not pool_path(directory, number).is_file():
                store_pool(pool_path(directory, number), make_pool(maker, seed, number, size))
            number += 1
