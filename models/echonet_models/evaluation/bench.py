"""Everything that was heard of strangers, as the satellite's detector sees it, and the rules that are chosen on it."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from echonet_satellite.decision import Decision
from echonet_satellite.detector import StreamEvent
from echonet_satellite.protocol import Sensitivity, SoundClass

from ..data.folds import FOLDS
from ..data.library import Library
from ..data.manifest import BACKGROUND, CLASSES, OTHER, UNLABELLED, Clip
from ..progress import track
from .decisions import SHAPES, Evidence, Scores, calibrate, choose
from .firing import blocks, firing_scores
from .replay import Calibration, Stream, detections
from .scenes import SECONDS
from .strangers import Strangers

BLOCK_S = 10.0
# Where both teachers together hear a class in a background, it may well be in there: a siren on a street.
_MAY_HOLD_LOGIT = -0.5


@dataclass(frozen=True, slots=True)
class Rules:
    """How logits become detections."""

    calibration: Calibration
    decisions: Mapping[SoundClass, Decision]


@dataclass(slots=True)
class _Counted:
    """Scores of one class while they are gathered; hours are those that were listened to."""

    own: list[float] = field(default_factory=list)
    origins: list[str] = field(default_factory=list)
    background: list[float] = field(default_factory=list)
    background_hours: float = 0.0
    others: list[float] = field(default_factory=list)
    others_hours: float = 0.0

    def evidence(self) -> Evidence:
        counts = Counter(self.origins)
        return Evidence(
            own=np.array(self.own),
            weights=np.array([1 / counts[origin] for origin in self.origins]),
            background=np.array(self.background),
            background_hours=self.background_hours,
            others=np.array(self.others),
            others_hours=self.others_hours,
        )


class Bench:
    """Clips and scenes as streams, and the rules that each is judged by."""

    def __init__(self, library: Library, strangers: Strangers) -> None:
        """Prepare the streams; clips of doubtful label are left out."""
        self.library, self.strangers = library, strangers
        self.clips = [clip for clip in library.clips if clip.label != UNLABELLED and not clip.unsure]
        self.streams = {
            clip.path: strangers.clip_stream(library, clip.path)
            for clip in track(self.clips, "levels of clips")
        }
        self.scenes = {
            scene.key: strangers.scene_stream(scene, maker)
            for scene, maker in track(list(strangers.made), "levels of scenes")
        }
        self._rules = {fold: self._choose(set(range(FOLDS)) - {fold}) for fold in range(FOLDS)}

    def released(self) -> Rules:
        """Return the rules of the released network, chosen on everything."""
        return self._choose(range(FOLDS))

    def rules(self, key: str) -> Rules:
        """Return the rules that a clip or scene is judged by: chosen on the other folds."""
        return self._rules[self.strangers.folds[key]]

    def find(self, key: str, level: Sensitivity) -> list[StreamEvent]:
        """Return what the detector finds in a clip or scene."""
        rules = self.rules(key)
        stream = self.streams[key] if key in self.streams else self.scenes[key]
        return detections(stream, rules.calibration, rules.decisions, dict.fromkeys(CLASSES, level))

    def may_hold(self, clip: Clip, name: SoundClass) -> bool:
        """Tell whether a clip is no negative of a class."""
        if name in clip.may_contain:
            return True
        if clip.label != BACKGROUND:
            return False
        heard = self.library.lessons[clip.path].logits[:, self.library.class_map.core[name]]
        return float(heard.max()) >= _MAY_HOLD_LOGIT

    def evidence(self, folds: Collection[int], calibration: Calibration) -> dict[SoundClass, Evidence]:
        """Return what thresholds are chosen by, for each class: of presence scenes, of all others clips."""
        counted: dict[SoundClass, _Counted] = defaultdict(_Counted)
        for clip in self.clips:
            if self.strangers.folds[clip.path] not in folds:
                continue
            stream = self.streams[clip.path]
            probabilities = calibration.probabilities(stream.logits)
            for name in CLASSES:
                own = counted[name]
                if clip.sound_class is name and name is not SoundClass.PRESENCE:
                    own.own.append(_highest(stream, probabilities, name))
                    own.origins.append(clip.origin)
                elif clip.label == BACKGROUND and not self.may_hold(clip, name):
                    fires = firing_scores(stream, probabilities, name, SHAPES[name])
                    own.background += _logit(blocks(fires, BLOCK_S)).tolist()
                    own.background_hours += clip.duration_s / 3600
                elif (
                    clip.label == OTHER and not self.may_hold(clip, name) and name is not SoundClass.PRESENCE
                ):
                    own.others.append(_highest(stream, probabilities, name))
                    own.others_hours += clip.duration_s / 3600
        self._inhabited(folds, calibration, counted[SoundClass.PRESENCE])
        return {name: counted[name].evidence() for name in CLASSES}

    def curves(self) -> dict[str, list[list[float]]]:
        """Return per class rows of threshold, recall of recordings and false alarms in 24 h of background."""
        parts = [self.evidence((fold,), self._rules[fold].calibration) for fold in range(FOLDS)]
        grid = np.linspace(-5, 7, 97)
        curves = {}
        for name in CLASSES:
            own = np.concatenate([part[name].own for part in parts])
            weights = np.concatenate([part[name].weights for part in parts])
            background = np.concatenate([part[name].background for part in parts])
            hours = sum(part[name].background_hours for part in parts)
            curves[str(name)] = [
                [
                    round(float(1 / (1 + np.exp(-threshold))), 4),
                    round(float((weights * (own >= threshold)).sum() / weights.sum()), 4),
                    round(float((background >= threshold).sum() * 24 / hours), 2),
                ]
                for threshold in grid
            ]
        return curves

    def _inhabited(self, folds: Collection[int], calibration: Calibration, counted: _Counted) -> None:
        for scene, _ in self.strangers.made:
            if SoundClass.PRESENCE not in scene.classes or self.strangers.folds[scene.key] not in folds:
                continue
            stream = self.scenes[scene.key]
            score = _highest(stream, calibration.probabilities(stream.logits), SoundClass.PRESENCE)
            if scene.sound_class is SoundClass.PRESENCE:
                counted.own.append(score)
                counted.origins.append(scene.key)
            else:
                counted.others.append(score)
                counted.others_hours += SECONDS / 3600

    def _choose(self, folds: Iterable[int]) -> Rules:
        chosen = frozenset(folds)
        clips = [clip for clip in self.clips if self.strangers.folds[clip.path] in chosen]
        calibration = calibrate(clips, self.strangers.clips)
        return Rules(calibration, choose(self.evidence(chosen, calibration)))


def _highest(stream: Stream, probabilities: NDArray[np.float32], name: SoundClass) -> float:
    """Return the highest score that a class could fire with in a stream, as a logit."""
    return float(_logit(firing_scores(stream, probabilities, name, SHAPES[name])).max())


def _logit(scores: Scores) -> Scores:
    limited = np.clip(scores, 1e-4, 1 - 1e-4)
    logits: Scores = np.log(limited / (1 - limited))
    return logits
