"""The teachers as they are, beside what learned from them: YAMNet on its windows, mn04 on stretches of 10 s."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np

from echonet_satellite.protocol import SoundClass

from ..data.library import Library
from ..data.manifest import BACKGROUND, CLASSES, UNLABELLED
from ..data.recordings import SAMPLE_RATE, Samples
from ..data.teachers import ClassMap, Mn04, Yamnet
from ..progress import track
from .pooled import Logits, Pooled, read_pooled

# How many outputs of each are about a second.
PEERS: Mapping[str, int] = MappingProxyType({"yamnet": 2, "mn04": 1})
_YAMNET_HOP = 7680
_MN04_WINDOW = 10 * SAMPLE_RATE


def hear_peers(library: Library, teachers: Path, run: Path) -> Mapping[str, Mapping[str, Logits]]:
    """Return what each peer says of our classes in each clip, by name and path: the best output that means one."""
    paths = {name: run / f"{name}.npz" for name in PEERS}
    if not all(path.is_file() for path in paths.values()):
        clips = [clip for clip in library.clips if clip.label not in (BACKGROUND, UNLABELLED)]
        yamnet, mn04 = Yamnet(teachers), Mn04(teachers)
        heard: dict[str, dict[str, Logits]] = {name: {} for name in PEERS}
        for clip in track(clips, "asking the peers"):
            samples = library.recordings[clip.path]
            heard["yamnet"][clip.path] = _yamnet(yamnet, samples, library.class_map)
            heard["mn04"][clip.path] = _mn04(mn04, samples, library.class_map)
        for name, path in paths.items():
            Pooled(heard[name]).store(path)
    return {name: read_pooled(path).logits for name, path in paths.items()}


def _yamnet(yamnet: Yamnet, samples: Samples, class_map: ClassMap) -> Logits:
    scores = yamnet.scores(samples, _YAMNET_HOP)
    columns = [_known(class_map, name) for name in CLASSES]
    return np.stack([scores[:, own].max(axis=1) for own in columns], axis=1)


def _known(class_map: ClassMap, name: SoundClass) -> list[int]:
    return [int(class_map.yamnet[index]) for index in class_map.core[name] if class_map.yamnet[index] >= 0]


def _mn04(mn04: Mn04, samples: Samples, class_map: ClassMap) -> Logits:
    starts = range(0, max(1, len(samples) - SAMPLE_RATE), _MN04_WINDOW)
    logits = np.stack([mn04.logits(samples[start : start + _MN04_WINDOW]) for start in starts])
    return np.stack([logits[:, class_map.core[name]].max(axis=1) for name in CLASSES], axis=1)
