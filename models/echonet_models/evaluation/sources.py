"""The harder question: sources that a training left out altogether, so that microphones and rooms are new as well."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..datasets import CLASSES, Clip, Protocol, Split, split_by
from ..elsewhere import clip_average_precision
from ..material import Material
from ..thresholds import choose, decisions_to_json, undecided
from ..training import pools_learned
from . import LEVELS
from .audio import Plan, clip_sounds, sure_clips
from .clips import detect, measure
from .listeners import Trained
from .store import Store
from .subject import calibrated


def measure_sources(run: Path, material: Material, plan: Plan, pools_of_ours: int | None) -> dict[str, Any]:
    """Return recall and false alarms on the sources that a training with `--protocol source` never heard.

    Calibration and thresholds are chosen on the tune split of the sources that it did hear. `pools_of_ours` is how much
    the network learned from that it stands beside, as far as that is known.
    """
    own = replace(material, split=split_by(Protocol.SOURCE, material.clips))
    calibrated(run, own)
    listener = Trained(run)
    store = Store(listener, run / "evaluation")
    tune, validation = (sure_clips(own, split, plan) for split in (Split.TUNE, Split.VALIDATION))
    heard = store.hear(clip_sounds(own, tune), "tune clips of known sources")
    decisions = choose(tune, heard, undecided())
    heard = store.hear(clip_sounds(own, validation), "clips of new sources")
    found: dict[str, Any] = {
        "pools": pools_learned(run),
        "held_out": _held_out(validation),
        "decision": decisions_to_json(decisions),
        "average_precision": {str(name): clip_average_precision(validation, heard, name) for name in CLASSES},
        "sensitivity": {
            str(level): measure(validation, detect(validation, heard, decisions, level)) for level in LEVELS
        },
    }
    if pools_of_ours is not None:
        found["pools_of_ours"] = pools_of_ours
    return found


def _held_out(clips: list[Clip]) -> Mapping[str, list[str]]:
    return {
        str(name): sorted({clip.source for clip in clips if clip.sound_class is name}) for name in CLASSES
    }
