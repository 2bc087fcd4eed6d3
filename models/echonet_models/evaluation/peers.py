"""The teachers as they are, beside what learned from them: YAMNet on its windows, mn04 on stretches of 10 s."""

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from ..data.kept import Rows, hear
from ..data.library import Library
from ..data.manifest import BACKGROUND, CLASSES, UNLABELLED
from ..data.recordings import SAMPLE_RATE, Samples
from ..data.teachers import ClassMap, Mn04, Yamnet
from .pooled import Logits

# How many outputs of each are about a second.
PEERS: Mapping[str, int] = MappingProxyType({"yamnet": 2, "mn04": 1})
_YAMNET_HOP = 7680
_MN04_WINDOW = 10 * SAMPLE_RATE


def hear_peers(library: Library, teachers: Path, run: Path) -> Mapping[str, Mapping[str, Logits]]:
    """Return what each peer says of our classes in each clip, by name and path: the best output that means one."""
    paths = [clip.path for clip in library.clips if clip.label not in (BACKGROUND, UNLABELLED)]
    load_yamnet, load_mn04 = cache(lambda: Yamnet(teachers)), cache(lambda: Mn04(teachers))

    def mn04(samples: Samples) -> NDArray[np.float32]:
        starts = range(0, max(1, len(samples) - SAMPLE_RATE), _MN04_WINDOW)
        return np.stack([load_mn04().logits(samples[start : start + _MN04_WINDOW]) for start in starts])

    def yamnet(samples: Samples) -> NDArray[np.float32]:
        scores = load_yamnet().scores(samples, _YAMNET_HOP)
        known = library.class_map.yamnet
        return np.where(known >= 0, scores[:, known], -np.inf)

    def asked(name: str, ask: Callable[[Samples], NDArray[np.float32]]) -> dict[str, Logits]:
        def listen(path: str) -> Rows:
            return {"best": best(ask(library.recordings[path]), library.class_map).astype(np.float16)}

        heard = hear(run / name, paths, listen, f"asking {name}")
        return {path: rows["best"].astype(np.float32) for path, rows in heard.items()}

    return {"yamnet": asked("yamnet", yamnet), "mn04": asked("mn04", mn04)}


def best(scores: NDArray[np.floating], class_map: ClassMap) -> Logits:
    """Return the highest score among the AudioSet classes that surely mean ours, [n, 527] -> [n, 8]."""
    columns = [scores[:, class_map.core[name]].max(axis=1) for name in CLASSES]
    return np.stack(columns, axis=1).astype(np.float32)
