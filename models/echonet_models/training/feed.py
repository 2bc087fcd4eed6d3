"""Batches of windows, made in a process beside the training so that it never waits for long."""

from collections.abc import Callable, Iterator
import multiprocessing
import os
import queue

import numpy as np
from numpy.typing import NDArray

from ..errors import ModelsError
from ..mixing.windows import Windows, stack

Batch = tuple[NDArray[np.float16], NDArray[np.int8], NDArray[np.float16]]


def batches(load: Callable[[], Windows], *, size: int, seed: int, first: int, total: int) -> Iterator[Batch]:
    """Yield the batches `first` to `total` of a training; the same seed gives the same batches, wherever it begins."""
    context = multiprocessing.get_context("spawn")
    made = context.Queue(maxsize=6)
    given = (load, size, seed, range(first, total), made, os.getpid())
    maker = context.Process(target=_make, args=given, daemon=True)
    maker.start()
    try:
        for _ in range(first, total):
            yield _take(made, maker)
    finally:
        maker.kill()


def _take(made: "multiprocessing.Queue[Batch]", maker: multiprocessing.process.BaseProcess) -> Batch:
    while True:
        try:
            return made.get(timeout=5)
        except queue.Empty:
            if not maker.is_alive():
                raise ModelsError("the maker of mixtures has died; its last words are above") from None


def _make(
    load: Callable[[], Windows],
    size: int,
    seed: int,
    numbers: range,
    made: "multiprocessing.Queue[Batch]",
    trainer: int,
) -> None:
    windows = load()
    for number in numbers:
        windows.reseed(np.random.default_rng((seed, number)))
        batch = stack(windows.batch(size))
        # A training that was killed takes its maker with it.
        while os.getppid() == trainer:
            try:
                made.put(batch, timeout=5)
                break
            except queue.Full:
                continue
        else:
            return
