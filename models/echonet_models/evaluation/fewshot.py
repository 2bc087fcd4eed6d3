"""How well a home's lessons work: sounds taught from few examples, and false alarms that are tapped away.

Everything is asked of networks about recordings that they never heard, with the code that satellites run. The strangers
of a fold are dealt in two: one half of the recordings is the reference set, the other is judged on.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
import json
from pathlib import Path
from typing import Any, Final
import zlib

import numpy as np

from echonet_satellite.frontend import Floats
from echonet_satellite.learning.lessons import Lesson, Refusal, learn
from echonet_satellite.learning.reference import Reference
from echonet_satellite.learning.sounds import CONFIRM, teach
from echonet_satellite.learning.traces import MOMENTS, TELLING
from echonet_satellite.protocol import SoundClass

from ..data.folds import FOLDS
from ..data.library import Library
from ..data.manifest import BACKGROUND, CLASSES, OTHER, Clip
from ..errors import ModelsError
from ..progress import track
from . import reference as making
from .home import QUIET_REPEATS, REPEATS, Stretch, hear_strangers, hear_things, kind_of, things_to_teach
from .pooled import STEP_S
from .run import read_figures

HOMES_FILE: Final = "homes.json"
KINDS: Final = frozenset(
    (  # noqa: SIM905  # thirty words are read more easily as a text
        "air_conditioner app_ringtone beep beep2 bell bicycle_bell bicycle_horn car_horn cash_register cat chainsaw "
        "church_bell church_bells clock_tick cow doorbell doorbell_02 doorbell_03 drilling engine_idling guitar "
        "hammer helicopter home_noise jackhammer notification_chime person_sneeze phone_ring phone_ringtone rain "
        "rooster sheep snoring thunderstorm train_whistle ui_beep whistle"
    ).split()
)
EXAMPLES: Final = (1, 3, 5)
_THINGS: Final = 22
_CULPRITS: Final = 14
_ALARMS: Final = 9
_BLOCK: Final = 62  # steps: two false alarms within ten seconds are one
_TAPS: Final = 2
_LEVEL: Final = "medium"
_BEGIN: Final = "<!-- written by `echonet-models fewshot` -->"
_END: Final = "<!-- end -->"

Score = Callable[[Floats], Floats]


@dataclass(frozen=True, slots=True)
class Fold:
    """What is judged in one fold: its reference set, and the other half of its strangers."""

    clips: Mapping[str, Clip]
    reference: Reference
    everyday: np.ndarray  # of which recording each of the reference set's everyday moments is
    background: Sequence[Floats]
    other: Sequence[tuple[Clip, Floats]]
    true: Sequence[tuple[Clip, Stretch, Floats]]
    things: Sequence[Sequence[Stretch]]
    culprits: Sequence[Sequence[Stretch]]


def measure(run: Path, library: Library, teachers: Path) -> dict[str, Any]:
    """Return all figures of a run's networks; what they hear is kept in the run's folder."""
    evaluated = read_figures(run)
    rules = evaluated["rules"]
    folds = [_fold(run, library, teachers, fold, rules) for fold in range(FOLDS)]
    figures = {
        "sha256": evaluated["file"]["sha256"],
        "false_alarms": _false_alarms(folds, rules),
        "taught": _taught(folds),
    }
    (run / HOMES_FILE).write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    return figures


def _fold(run: Path, library: Library, teachers: Path, fold: int, rules: dict[str, Any]) -> Fold:
    clips = {clip.path: clip for clip in library.clips}
    heard = hear_strangers(run, library, teachers, fold)
    teaching = things_to_teach(library.clips, KINDS, _THINGS, fold)
    things = hear_things(run, library, teachers, fold, dict.fromkeys(teaching, REPEATS), "things")
    tapping = dict.fromkeys(_culprits(heard, clips, rules), _ALARMS)
    culprits = hear_things(run, library, teachers, fold, tapping, "culprits")
    reference, everyday = _reference(heard, clips)
    judged = [(clips[path], one) for path, one in heard.items() if not _first_half(clips[path])]
    return Fold(
        clips=clips,
        reference=reference,
        everyday=everyday,
        background=[reference.place(one.embeddings) for clip, one in judged if clip.label == BACKGROUND],
        other=[(clip, reference.place(one.embeddings)) for clip, one in judged if clip.label == OTHER],
        true=[
            (clip, one, reference.place(one.embeddings))
            for clip, one in judged
            if clip.sound_class in set(CLASSES) - {SoundClass.PRESENCE} and not clip.unsure
        ],
        things=_by_path(things),
        culprits=_by_path(culprits),
    )


def _reference(heard: dict[str, Stretch], clips: dict[str, Clip]) -> tuple[Reference, np.ndarray]:
    """Return the reference set of one half of the strangers, and of which recording each everyday moment is."""
    half = {path: one for path, one in heard.items() if _first_half(clips[path])}
    parts = [
        (clips[path].origin, one.embeddings[::10])
        for path, one in half.items()
        if clips[path].label in (BACKGROUND, OTHER)
    ]
    everyday = np.concatenate([own for _, own in parts])
    origins = np.repeat([origin for origin, _ in parts], [len(own) for _, own in parts])
    mean, basis = making.whitening(everyday, making.SIZE)
    space = Reference(mean=mean, basis=basis, sounds={}, smoke=basis[:0], everyday=basis[:0])
    sounds = {}
    for place, name in enumerate(CLASSES):
        own = {clip.origin: clip for clip in clips.values() if clip.sound_class is name and clip.path in half}
        moments = []
        for clip in own.values():
            one = half[clip.path]
            best = np.argsort(-one.logits[:, place])[: making.MOMENTS]
            moments.append(one.embeddings[np.resize(best, making.MOMENTS)])
        sounds[name] = space.place(np.stack(moments)) if moments else space.smoke[None][:0]
    return replace(space, sounds=sounds, everyday=space.place(everyday)), origins


def _taught(folds: Sequence[Fold]) -> dict[str, Any]:
    """Return recall and false alarms an hour, by way of learning and number of examples, pooled over things."""
    pooled: dict[tuple[str, int], list[tuple[int, Any]]] = defaultdict(list)
    for number, fold in enumerate(folds):
        hours = sum(len(own) for own in fold.background) * STEP_S / 3600
        others = sum(len(own) for _, own in fold.other) * STEP_S / 3600
        for repeats in track(fold.things, f"fold {number + 1} is taught"):
            for count in EXAMPLES:
                # A home's own sound is not among the sounds of every day that came with the network.
                own = fold.everyday != fold.clips[repeats[0].path].origin
                reference = replace(fold.reference, everyday=fold.reference.everyday[own])
                for name, score in _ways(reference, repeats, count).items():
                    pooled[name, count].append((number, _scores(fold, repeats, score, hours, others)))
    return {
        f"{name}/{count}": _at_own_threshold(found) | {"things": len(found)}
        for (name, count), found in pooled.items()
    }


def _ways(reference: Reference, repeats: Sequence[Stretch], count: int) -> dict[str, Score]:
    """Return ways to learn a thing from its first repeats: each says of directions how much they are like it."""
    examples = [one.embeddings[one.sounding] for one in repeats if one.repeat < QUIET_REPEATS][:count]
    sound = teach(reference, "1", "thing", examples)
    own = reference.place(np.concatenate(examples))
    prototype = own.mean(axis=0) / np.linalg.norm(own.mean(axis=0))
    return {
        "logistic regression": sound.score,
        "prototype": lambda directions: directions @ prototype,
        "nearest moment": lambda directions: (directions @ own.T).max(axis=-1),
    }


def _scores(
    fold: Fold, repeats: Sequence[Stretch], score: Score, hours: float, others: float
) -> dict[str, Any]:
    """Return how much each further repeat, each ten seconds of background and each other clip is like a thing."""
    highest = [
        _confirmed(score(fold.reference.place(one.embeddings)))
        for one in repeats
        if one.repeat >= QUIET_REPEATS
    ]
    background = [
        _confirmed(part)
        for own in fold.background
        for part in np.split(score(own), range(_BLOCK, len(own), _BLOCK))
    ]
    thing = fold.clips[repeats[0].path]
    other = [
        _confirmed(score(own))
        for clip, own in fold.other
        if clip.origin != thing.origin and kind_of(clip) != kind_of(thing)
    ]
    return {
        "own": np.array(highest),
        "background": np.array(background),
        "hours": hours,
        "other": np.array(other),
        "other_hours": others,
    }


def _confirmed(scores: Floats) -> float:
    """Return the highest score that `CONFIRM` steps in a row reach, as a satellite asks it."""
    if len(scores) < CONFIRM:
        return float(scores.max())
    return float(np.lib.stride_tricks.sliding_window_view(scores, CONFIRM).min(axis=1).max())


def _at_own_threshold(found: Sequence[tuple[int, Any]]) -> dict[str, float]:
    """Return the figures of each fold at the threshold that the other folds choose: one false alarm in an hour."""
    judged: list[tuple[Any, float]] = []
    for fold in range(FOLDS):
        others = [own for number, own in found if number != fold]
        threshold = _threshold(others)
        judged += [(own, threshold) for number, own in found if number == fold]
    return {
        "recall": float(np.mean([(own["own"] > at).mean() for own, at in judged])),
        "background": _per_hour(judged, "background", "hours"),
        "other": _per_hour(judged, "other", "other_hours"),
        "threshold": _threshold([own for _, own in found]),
    }


def _threshold(found: Sequence[Any]) -> float:
    everything = np.sort(np.concatenate([own["background"] for own in found]))[::-1]
    # A little less than one in an hour, so that the folds that did not choose it keep to it as well.
    count = int(0.9 * sum(own["hours"] for own in found))
    return float(everything[min(count, len(everything) - 1)])


def _per_hour(judged: Sequence[tuple[Any, float]], what: str, hours: str) -> float:
    alarms = sum(int((own[what] > at).sum()) for own, at in judged)
    return float(alarms / sum(own[hours] for own, _ in judged))


def _culprits(heard: dict[str, Stretch], clips: dict[str, Clip], rules: dict[str, Any]) -> list[str]:
    """Return recordings of other sounds that are taken for a class, at high sensitivity."""
    wrong = [
        path
        for path, one in heard.items()
        if clips[path].label == OTHER
        and any(
            _fires(_probabilities(one, rules), place, rules, "high")
            for place, name in enumerate(CLASSES)
            if name is not SoundClass.PRESENCE and name not in clips[path].may_contain
        )
    ]
    return sorted(wrong, key=lambda path: zlib.crc32(path.encode()))[:_CULPRITS]


def _false_alarms(folds: Sequence[Fold], rules: dict[str, Any]) -> dict[str, Any]:
    """Return how many repeats of a false alarm ring after two taps, and how many true sounds are lost by that."""
    figures: dict[str, Any] = {}
    for level in (_LEVEL, "high"):
        before = after = sources = 0
        kept: dict[SoundClass, list[int]] = defaultdict(lambda: [0, 0])
        for fold in folds:
            for repeats in fold.culprits:
                for place, name in enumerate(CLASSES):
                    ringing = [
                        one for one in repeats if _fires(_probabilities(one, rules), place, rules, level)
                    ]
                    if name is SoundClass.PRESENCE or len(ringing) <= _TAPS + 1:
                        continue
                    lessons = _lessons(fold.reference, ringing[:_TAPS], place, name, rules)
                    sources += 1
                    before += len(ringing) - _TAPS
                    after += sum(
                        _rings(fold.reference.place(one.embeddings), one, lessons, place, rules, level)
                        for one in ringing[_TAPS:]
                    )
                    for clip, one, directions in fold.true:
                        if clip.sound_class is name and _fires(
                            _probabilities(one, rules), place, rules, level
                        ):
                            kept[name][0] += 1
                            kept[name][1] += _rings(directions, one, lessons, place, rules, level)
        figures[level] = {
            "sources": sources,
            "before": before,
            "after": after,
            "lost": {str(name): 1 - own[1] / own[0] for name, own in kept.items()},
        }
    return figures


def _lessons(
    reference: Reference, tapped: Sequence[Stretch], place: int, name: SoundClass, rules: dict[str, Any]
) -> list[Lesson]:
    lessons: list[Lesson] = []
    for one in tapped:
        probabilities = _probabilities(one, rules)[:, place]
        best = np.argsort(-probabilities)[:MOMENTS]
        best = best[probabilities[best] >= TELLING]
        found = learn(reference, lessons, str(one.repeat), name, None, one.embeddings[best])
        if not isinstance(found, Refusal):
            lessons.append(found)
    return lessons


def _rings(
    directions: Floats,
    one: Stretch,
    lessons: Sequence[Lesson],
    place: int,
    rules: dict[str, Any],
    level: str,
) -> bool:
    probabilities = _probabilities(one, rules)
    for lesson in lessons:
        probabilities[lesson.knows(directions), place] = 0.0
    return _fires(probabilities, place, rules, level)


def _fires(probabilities: Floats, place: int, rules: dict[str, Any], level: str) -> bool:
    decision = rules["decision"][str(CLASSES[place])]
    own: np.ndarray = probabilities[:, place]
    steps = decision["smoothing_steps"]
    smooth = np.convolve(own, np.ones(steps) / steps)[: len(own)]
    return bool(smooth.max() >= decision["thresholds"][level])


def _probabilities(one: Stretch, rules: dict[str, Any]) -> Floats:
    logits = one.logits * np.array(rules["slopes"], np.float32) + np.array(rules["offsets"], np.float32)
    probabilities: Floats = (1 / (1 + np.exp(-logits))).astype(np.float32)
    return probabilities


def _first_half(clip: Clip) -> bool:
    return zlib.crc32(clip.origin.encode()) % 2 == 0


def _by_path(stretches: Sequence[Stretch]) -> list[list[Stretch]]:
    grouped: dict[str, list[Stretch]] = defaultdict(list)
    for one in stretches:
        grouped[one.path].append(one)
    return list(grouped.values())


def table(figures: dict[str, Any]) -> str:
    """Return the figures as they stand in docs/models.md."""
    rows = [
        "| way to learn | recordings | recall | false alarms in an hour of background | in an hour of other sounds |",
        "| --- | --- | --- | --- | --- |",
    ]
    for key, own in figures["taught"].items():
        name, count = key.rsplit("/", 1)
        rows.append(
            f"| {name} | {count} | {own['recall']:.3f} | {own['background']:.2f} | {own['other']:.1f} |"
        )
    things = next(iter(figures["taught"].values()))["things"]
    chosen = figures["taught"]["logistic regression/3"]["threshold"]
    lines = [
        *rows,
        "",
        f"{things} things. The threshold of a fold is chosen on the others; all folds together choose {chosen:.2f},",
        f"satellites use 0.00. Measured with the folds of the network `{figures['sha256'][:16]}`.",
        "",
        "| sensitivity | sources | further repeats that rang | still ring after two taps | fewer | true sounds lost |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for level, own in figures["false_alarms"].items():
        lost = max(own["lost"].values(), default=0.0)
        fewer = 1 - own["after"] / max(1, own["before"])
        lines.append(
            f"| {level} | {own['sources']} | {own['before']} | {own['after']} | {fewer:.0%} | {lost:.1%} |"
        )
    return "\n".join(lines)


def write_table(figures: dict[str, Any], docs: Path) -> Path:
    """Put the table into its place in models.md, and return the page.

    Raises:
        ModelsError: the page has no such place.
    """
    page = docs / "models.md"
    text = page.read_text(encoding="utf-8")
    before, begin, rest = text.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise ModelsError(f"{page} has no place for the table: put {_BEGIN} and {_END} where it belongs")
    page.write_text(f"{before}{begin}\n\n{table(figures)}\n\n{end}{after}", encoding="utf-8")
    return page
