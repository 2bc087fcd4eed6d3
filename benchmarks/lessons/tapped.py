"""How many false alarms ring no more after two taps, and how many true sounds are lost by that."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
import zlib

import numpy as np

from benchmarks.lessons.home import Fold, Stretch
from echonet_models.data.manifest import CLASSES, OTHER, Clip
from echonet_models.evaluation.decisions import SHAPES
from echonet_models.evaluation.firing import firing_scores
from echonet_models.evaluation.replay import Stream, stream_of
from echonet_models.evaluation.run import calibration_of
from echonet_satellite.decision import weigh
from echonet_satellite.frontend import Floats
from echonet_satellite.learning.lessons import Lesson, Refusal, learn
from echonet_satellite.learning.reference import Reference
from echonet_satellite.learning.traces import MOMENTS, TELLING
from echonet_satellite.protocol import SoundClass
from echonet_satellite.track import SUSPICION

_CULPRITS: Final = 14
_TAPS: Final = 2
# What goes on for long counts more, and an insistent tone more than that.
_MOST_ODDS: Final = max(
    shape.insistence * (shape.lasting.odds if shape.lasting else 1.0) for shape in SHAPES.values()
)
_ALARMING: Final = [(place, name) for place, name in enumerate(CLASSES) if name is not SoundClass.PRESENCE]


@dataclass(frozen=True, slots=True)
class Bell:
    """What rings at one sensitivity, by the rules of an evaluation, as the satellite's detector decides."""

    rules: Mapping[str, Any]
    level: str
    streams: dict[Stretch, Stream] = field(default_factory=dict)

    def probabilities(self, one: Stretch, place: int) -> Floats:
        """Return the probability of a class in each step."""
        return calibration_of(self.rules).probabilities(one.logits)[:, place]

    def rings(
        self, one: Stretch, place: int, directions: Floats | None = None, lessons: Sequence[Lesson] = ()
    ) -> bool:
        """Tell whether a sound is taken for a class, although lessons silence what they know of it."""
        name = CLASSES[place]
        threshold = self.rules["decision"][name]["thresholds"][self.level]
        probabilities = self.probabilities(one, place)
        for lesson in lessons:
            assert directions is not None
            known = lesson.knows(directions)
            silent = SUSPICION if name is SoundClass.ALARM else 0.0
            probabilities[known] = np.minimum(probabilities[known], silent)
        # No rule makes more of a sound than this, and most sounds need no closer look.
        if weigh(float(probabilities.max()), _MOST_ODDS) < threshold:
            return False
        row = np.zeros((len(probabilities), len(CLASSES)), np.float32)
        row[:, place] = probabilities
        return bool(firing_scores(self._stream(one), row, name, SHAPES[name]).max() >= threshold)

    def _stream(self, one: Stretch) -> Stream:
        if one not in self.streams:
            self.streams[one] = stream_of(one.sound(), one.logits)
        return self.streams[one]


def culprits(heard: Mapping[str, Stretch], clips: Mapping[str, Clip], rules: Mapping[str, Any]) -> list[str]:
    """Return recordings of other sounds that are taken for a class, at high sensitivity."""
    bell = Bell(rules, "high")
    wrong = [
        path
        for path, one in heard.items()
        if clips[path].label == OTHER
        and any(bell.rings(one, place) for place, name in _ALARMING if name not in clips[path].may_contain)
    ]
    return sorted(wrong, key=lambda path: zlib.crc32(path.encode()))[:_CULPRITS]


def tapped_figures(folds: Sequence[Fold], rules: Mapping[str, Any]) -> dict[str, Any]:
    """Return how many repeats of a false alarm ring after two taps, and how many true sounds are lost by that."""
    return {level: _at_level(folds, Bell(rules, level)) for level in ("medium", "high")}


def _at_level(folds: Sequence[Fold], bell: Bell) -> dict[str, Any]:
    before = after = sources = 0
    kept: dict[SoundClass, list[bool]] = defaultdict(list)
    for fold, repeats in [(each, repeats) for each in folds for repeats in each.culprits]:
        for place, name in _ALARMING:
            ringing = [one for one in repeats if bell.rings(one, place)]
            if len(ringing) <= _TAPS + 1:
                continue
            lessons = _lessons(fold.reference, ringing[:_TAPS], place, bell)
            sources += 1
            before += len(ringing) - _TAPS
            after += sum(
                bell.rings(one, place, fold.reference.place(one.embeddings), lessons)
                for one in ringing[_TAPS:]
            )
            kept[name] += [
                bell.rings(one, place, directions, lessons)
                for clip, one, directions in fold.true
                if clip.sound_class is name and bell.rings(one, place)
            ]
    lost = {str(name): 1 - sum(own) / len(own) for name, own in kept.items() if own}
    return {"sources": sources, "before": before, "after": after, "lost": lost}


def _lessons(reference: Reference, tapped: Sequence[Stretch], place: int, bell: Bell) -> list[Lesson]:
    lessons: list[Lesson] = []
    for one in tapped:
        probabilities = bell.probabilities(one, place)
        best = np.argsort(-probabilities)[:MOMENTS]
        best = best[probabilities[best] >= TELLING]
        found = learn(reference, lessons, str(one.repeat), CLASSES[place], None, one.embeddings[best])
        if not isinstance(found, Refusal):
            lessons.append(found)
    return lessons
