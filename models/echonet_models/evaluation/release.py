"""A release: the model, its card, and the card's text for people."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
import json
from pathlib import Path
from typing import Any

import numpy as np

from echonet_satellite.card import CARD_FILE, MODEL_FILE, SECOND_LOOK_FILE, read_card
from echonet_satellite.classifier import Classifier
from echonet_satellite.frontend import FrontendParameters
from echonet_satellite.learning.reference import write_reference

from ..data.library import Library
from ..data.manifest import CLASSES
from ..training.run import FIRST, SECOND, Look, fold_folder
from .pooled import LIKELY_LOGIT, SHARES, STEP_FRAMES
from .reference import make_reference
from .run import read_figures
from .tables import detection_table, fill, headline, ranking_table, scene_table

MODEL_CARD_FILE, NOTICE_FILE = "MODEL_CARD.md", "NOTICE"


def release_run(run: Path, directory: Path, *, version: str) -> str:
    """Write the networks that heard everything, with the folds' figures, into `directory`; return a line about them.

    Raises:
        ModelsError: they have not been evaluated.
    """
    figures = read_figures(run)
    file = figures["files"][MODEL_FILE]
    card = {
        "name": "echonet",
        "version": version,
        "sha256": file["sha256"],
        "classes": [str(name) for name in CLASSES],
        "frontend": asdict(FrontendParameters()),
        "window_frames": FIRST.frames,
        "step_frames": STEP_FRAMES,
        "embedding_size": file["embedding_size"],
        "tensors": file["tensors"],
        "second_look": _second_look(figures),
        "decision": figures["rules"]["decision"],
        "training": _schedule(run, FIRST) | {"largest_difference": file["largest_difference"]},
        "training_of_second_look": _schedule(run, SECOND),
        "metrics": {key: figures[key] for key in ("summary", "ranking", "levels")},
    }
    directory.mkdir(parents=True, exist_ok=True)
    contents = {name: (run / name).read_bytes() for name in (MODEL_FILE, SECOND_LOOK_FILE)}
    for name, content in contents.items():
        (directory / name).write_bytes(content)
    sizes = [len(content) for content in contents.values()]
    (directory / CARD_FILE).write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    (directory / MODEL_CARD_FILE).write_text(card_text(card, sizes), encoding="utf-8")
    (directory / NOTICE_FILE).write_text(fill(__file__, "notice.txt"), encoding="utf-8")
    return f"released: {directory}, {sum(sizes) / 1e6:.2f} MB, SHA-256 {file['sha256']}"


def _schedule(run: Path, look: Look) -> dict[str, Any]:
    path = fold_folder(run, None, look) / "schedule.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def _second_look(figures: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the card says of the network that takes a second look."""
    file, rules = figures["files"][SECOND_LOOK_FILE], figures["rules"]
    likely = 1 / (1 + np.exp(-(LIKELY_LOGIT * np.array(rules["slopes"]) + np.array(rules["offsets"]))))
    own = [(str(name), place) for place, name in enumerate(CLASSES) if SHARES[place]]
    return {
        "sha256": file["sha256"],
        "window_frames": SECOND.frames,
        "input": file["tensors"]["input"],
        "logits": file["tensors"]["logits"],
        "shares": {name: round(float(SHARES[place]), 3) for name, place in own},
        "likely": {name: round(float(likely[place]), 5) for name, place in own},
    }


def release_reference(directory: Path, library: Library) -> str:
    """Write the reference set of the network in `directory` beside it; return a line about it."""
    # Its moments are heard for themselves: a second look would see several of them at once.
    card = replace(read_card(directory), second_look=None)
    classifier = Classifier(card, (directory / MODEL_FILE).read_bytes())
    reference = make_reference(classifier, library)
    path = write_reference(directory, card.sha256, reference)
    recordings = sum(len(own) for own in reference.sounds.values())
    return f"reference set: {path}, {recordings} recordings, {path.stat().st_size / 1e6:.2f} MB"


def card_text(card: Mapping[str, Any], sizes: Sequence[int]) -> str:
    """Return the card for people; the two files have so many bytes."""
    metrics = card["metrics"]
    return fill(
        __file__,
        "card.txt",
        name=card["name"],
        version=card["version"],
        sha256=card["sha256"],
        embedding=card["embedding_size"],
        megabytes=sizes[0] / 1e6,
        second_sha256=card["second_look"]["sha256"],
        second_megabytes=sizes[1] / 1e6,
        second_s=card["second_look"]["window_frames"] / 100,
        second_steps=card["training_of_second_look"]["steps"],
        second_batch=card["training_of_second_look"]["batch"],
        difference=card["training"]["largest_difference"],
        steps=card["training"]["steps"],
        batch=card["training"]["batch"],
        headline=headline(metrics),
        ranking=ranking_table(metrics),
        detections=detection_table(metrics["levels"]["medium"]),
        scenes=scene_table(metrics["levels"]["medium"]["scenes"]),
    )
