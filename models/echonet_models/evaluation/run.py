"""The whole evaluation: our model and its peers on the same sound, measured by the same code."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from echonet_satellite.protocol import Sensitivity

from ..datasets import CLASSES
from ..listening import Probabilities
from ..progress import track
from ..thresholds import SAFETY, choose, decisions_to_json, undecided
from .audio import Audio, Heard, hear, hear_validation, windows
from .brief import SPLIT
from .clips import confusion, detect, mean_confidence, measure
from .events import choose_rule, count, count_shipped, error_figures, own_mixtures, rule_figures
from .latency import latency
from .listeners import Listener, Trained
from .store import Store
from .subject import Subject, agreement
from .systems import FIXED, System, fixed, tuned
from .trade_off import detection_error, reliability
from .windows import Windows, best_thresholds, curves, table

OWN = "echonet"


def evaluate(
    subject: Subject, peers: Sequence[Listener], audio: Audio, folder: Path, cache: Path
) -> dict[str, Any]:
    """Return all figures of a model and of its peers.

    Args:
        subject: what is described.
        peers: YAMNet and the like.
        audio: what they listen to.
        folder: where what our model hears is kept: it belongs to a run.
        cache: where what the peers hear is kept: they do not change.
    """
    figures: dict[str, Any] = {}
    systems: dict[str, Any] = {}
    for listener in (subject.listener, *peers):
        own = listener is subject.listener
        heard = hear(audio, Store(listener, folder if own else cache))
        asked = [_own(subject, audio, heard)] if own else _peers(listener, audio, heard)
        if own:
            figures = {
                "split": SPLIT,
                "model": subject.model,
                "audio": audio.describe(),
                "safety": [str(name) for name in SAFETY],
                "decision": decisions_to_json(asked[0].decisions),
            }
        for system in asked:
            systems[system.key] = measure_system(system, audio, heard)
    return {**figures, "sensitivity": systems[OWN]["sensitivity"], "systems": systems}


def measure_system(system: System, audio: Audio, heard: Heard) -> dict[str, Any]:
    """Return all figures of one system."""
    made = system.probabilities
    validation, tune = made(heard.validation), made(heard.tune)
    reach = system.listener.reach
    own, tune_windows = windows(audio.validation, validation, reach), windows(audio.tune, tune, reach)
    clips = audio.validation.clips
    found = {level: detect(clips, validation, system.decisions, level) for level in system.levels}
    medium = found[Sensitivity.MEDIUM]
    steps: dict[str, Callable[[], Any]] = {
        "sensitivity": lambda: {str(level): measure(clips, each) for level, each in found.items()},
        "windows": lambda: _window_table(system, own, tune_windows),
        "curves": lambda: curves(own) if system.fixed is None else {},
        "detection_error": lambda: (
            detection_error(clips, validation, system.decisions) if system.fixed is None else {}
        ),
        # A calibration that weighs both kinds of windows the same makes thresholds, and no shares of anything.
        "reliability": lambda: reliability(own) if system.calibration is None else {},
        "confusion": lambda: confusion(clips, medium),
        "mean_confidence": lambda: mean_confidence(clips, validation),
        "events": lambda: _events(system, audio, made(heard.tune_mixtures), made(heard.validation_mixtures)),
        "latency": lambda: latency(audio.onsets, made(heard.onsets), system.decisions, system.listener),
    }
    figures: dict[str, Any] = {"title": system.title, "rule": system.rule, "listener": system.listener.name}
    figures["decision"] = decisions_to_json(system.decisions)
    for key in track(list(steps), f"{system.title}: measuring"):
        figures[key] = steps[key]()
    return figures


def _own(subject: Subject, audio: Audio, heard: Heard) -> System:
    chosen = subject.decisions is None
    return System(
        key=OWN,
        title=subject.listener.title,
        rule="thresholds chosen on the tune split" if chosen else "thresholds of its card",
        listener=subject.listener,
        decisions=subject.decisions or choose(audio.tune.clips, heard.tune, undecided()),
    )


def _peers(listener: Listener, audio: Audio, heard: Heard) -> list[System]:
    tune = windows(audio.tune, heard.tune, listener.reach)
    same = tuned(listener, audio.tune.clips, heard.tune, tune)
    # Scores of YAMNet are used as they are; those of mn04 are far too low for that (fire lies below 0.05).
    return (
        [*(fixed(listener, threshold) for threshold in FIXED), same] if listener.name == "yamnet" else [same]
    )


def _window_table(system: System, own: Windows, tune: Windows) -> dict[str, Any]:
    thresholds = best_thresholds(tune) if system.fixed is None else [system.fixed] * len(CLASSES)
    return table(own, thresholds)


def _events(
    system: System,
    audio: Audio,
    tune: Mapping[str, Probabilities],
    validation: Mapping[str, Probabilities],
) -> dict[str, Any]:
    """Return error rates: every event counts, at most one a mixture, and as the satellite decides at medium."""
    ours = own_mixtures(audio.validation.mixtures)
    # A class whose tune split has no event has nothing that a rule could be chosen on.
    ours = {name: own for name, own in ours.items() if name in own_mixtures(audio.tune.mixtures)}
    figures: dict[str, Any] = {
        "shipped": error_figures(
            ours, {name: count_shipped(own, validation, name, system.decisions) for name, own in ours.items()}
        )
    }
    for key, one in (("every", False), ("one", True)):
        rules = {
            name: choose_rule(audio.tune.mixtures, tune, name, one=one, threshold=system.fixed)
            for name in ours
        }
        counts = {name: count(own, validation, name, rules[name]) for name, own in ours.items()}
        figures[key] = {
            **error_figures(ours, counts),
            "rules": {str(name): rule_figures(rule) for name, rule in rules.items()},
        }
    return figures


def compare_with_training(subject: Subject, run: Path, audio: Audio, folder: Path) -> dict[str, Any]:
    """Return how well a released model agrees with the network of the training on all validation clips."""
    released, network = (
        hear_validation(audio, Store(listener, folder)) for listener in (subject.listener, Trained(run))
    )
    return agreement(audio.validation.clips, released, network, subject.decisions or undecided())
