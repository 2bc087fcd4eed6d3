"""Which recording is drawn: each source and each recording as often as is fair."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from ..data.manifest import Clip


class Drawer:
    """Draws a source (by the root of how many recordings it has), one of its recordings, one of its clips."""

    def __init__(self, clips: Sequence[Clip]) -> None:
        sources: dict[str, dict[str, list[Clip]]] = defaultdict(lambda: defaultdict(list))
        for clip in clips:
            sources[clip.source][clip.origin].append(clip)
        self._sources = [list(origins.values()) for origins in sources.values()]
        weights = np.sqrt([len(origins) for origins in self._sources]) if self._sources else np.zeros(0)
        self._chances = weights / weights.sum() if len(weights) else weights

    def __bool__(self) -> bool:
        return bool(self._sources)

    def draw(self, random: np.random.Generator) -> Clip:
        """Return a clip."""
        origins = self._sources[int(random.choice(len(self._sources), p=self._chances))]
        clips = origins[int(random.integers(len(origins)))]
        return clips[int(random.integers(len(clips)))]
