"""Batches of windows, made in processes beside the training so that it never waits for long."""

from collections.abc import Callable, Iterator
import multiprocessing
import os
import queue

import numpy as np
from numpy.typing import NDArray

from ..data.library import Library
from ..errors import ModelsError
from ..mixing.windows import Recipe, Windows, stack

Batch = tuple[NDArray[np.float16], NDArray[np.int8], NDArray[np.float16]]
Draw = Callable[[Windows, int], Batch]


def mixed_batch(windows: Windows, size: int) -> Batch:
    """Return half mixtures, half recordings as they are."""
    half = size // 2
    return stack([windows.mix() for _ in range(half)] + [windows.cut() for _ in range(size - half)])


def batches(
    load: Callable[[], Library],
    recipe: Recipe,
    draw: Draw,
    *,
    size: int,
    seed: int,
    first: int,
    total: int,
    makers: int = 1,
) -> Iterator[Batch]:
    """Yield the batches `first` to `total` of a training; the same seed gives the same batches, wherever it begins."""
    context = multiprocessing.get_context("spawn")
    lanes = [context.Queue(maxsize=6) for _ in range(makers)]
    processes = [
        context.Process(
            target=_make,
            args=(
                load,
                recipe,
                draw,
                size,
                seed,
                range(first + lane, total, makers),
                lanes[lane],
                os.getpid(),
            ),
            daemon=True,
        )
        for lane in range(makers)
    ]
    for process in processes:
        process.start()
    try:
        for number in range(first, total):
            lane = (number - first) % makers
            yield _take(lanes[lane], processes[lane])
    finally:
        for process in processes:
            process.kill()


def _take(lane: "multiprocessing.Queue[Batch]", process: multiprocessing.process.BaseProcess) -> Batch:
    while True:
        try:
            return lane.get(timeout=5)
        except queue.Empty:
            if not process.is_alive():
                raise ModelsError("the maker of mixtures has died; its last words are above") from None


def _make(
    load: Callable[[], Library],
    recipe: Recipe,
    draw: Draw,
    size: int,
    seed: int,
    numbers: range,
    lane: "multiprocessing.Queue[Batch]",
    trainer: int,
) -> None:
    windows = None
    library = load()
    for number in numbers:
        generator = np.random.default_rng((seed, number))
        if windows is None:
            windows = Windows(library, recipe, generator)
        windows.reseed(generator)
        batch = draw(windows, size)
        while True:
            # A training that was killed takes its makers with it.
            if os.getppid() != trainer:
                return
            try:
                lane.put(batch, timeout=5)
                break
            except queue.Full:
                continue
