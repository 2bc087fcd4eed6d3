"""A release: the model, its card, and the card's text for people."""

from collections.abc import Mapping
from dataclasses import asdict
import json
from pathlib import Path
from typing import Any

from echonet_satellite.classifier import load_classifier
from echonet_satellite.frontend import FrontendParameters
from echonet_satellite.learning.reference import write_reference

from ..data.library import Library
from ..data.manifest import CLASSES
from ..network.ears import WINDOW_FRAMES
from ..training.run import fold_name
from .pooled import STEP_FRAMES
from .reference import make_reference
from .run import MODEL_FILE, read_figures
from .tables import detection_table, fill, headline, ranking_table, scene_table

CARD_FILE, MODEL_CARD_FILE, NOTICE_FILE = "model.json", "MODEL_CARD.md", "NOTICE"


def release_run(run: Path, directory: Path, *, version: str) -> str:
    """Write the network that heard everything, with the folds' figures, into `directory`; return a line about it.

    Raises:
        ModelsError: it has not been evaluated.
    """
    figures = read_figures(run)
    file = figures["file"]
    content = (run / MODEL_FILE).read_bytes()
    schedule = json.loads((run / fold_name(None) / "schedule.json").read_text(encoding="utf-8"))
    card = {
        "name": "echonet",
        "version": version,
        "sha256": file["sha256"],
        "classes": [str(name) for name in CLASSES],
        "frontend": asdict(FrontendParameters()),
        "window_frames": WINDOW_FRAMES,
        "step_frames": STEP_FRAMES,
        "embedding_size": file["embedding_size"],
        "tensors": file["tensors"],
        "decision": figures["rules"]["decision"],
        "training": schedule | {"largest_difference": file["largest_difference"]},
        "metrics": {key: figures[key] for key in ("summary", "ranking", "levels")},
    }
    directory.mkdir(parents=True, exist_ok=True)
    (directory / MODEL_FILE).write_bytes(content)
    (directory / CARD_FILE).write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    (directory / MODEL_CARD_FILE).write_text(card_text(card, len(content)), encoding="utf-8")
    (directory / NOTICE_FILE).write_text(fill(__file__, "notice.txt"), encoding="utf-8")
    return f"released: {directory}, {len(content) / 1e6:.2f} MB, SHA-256 {file['sha256']}"


def release_reference(directory: Path, library: Library) -> str:
    """Write the reference set of the network in `directory` beside it; return a line about it."""
    classifier = load_classifier(directory)
    reference = make_reference(classifier, library)
    path = write_reference(directory, classifier.card.sha256, reference)
    recordings = sum(len(own) for own in reference.sounds.values())
    return f"reference set: {path}, {recordings} recordings, {path.stat().st_size / 1e6:.2f} MB"


def card_text(card: Mapping[str, Any], size: int) -> str:
    """Return the card for people."""
    metrics = card["metrics"]
    return fill(
        __file__,
        "card.txt",
        name=card["name"],
        version=card["version"],
        sha256=card["sha256"],
        embedding=card["embedding_size"],
        megabytes=size / 1e6,
        difference=card["training"]["largest_difference"],
        steps=card["training"]["steps"],
        batch=card["training"]["batch"],
        headline=headline(metrics),
        ranking=ranking_table(metrics),
        detections=detection_table(metrics["levels"]["medium"]),
        scenes=scene_table(metrics["levels"]["medium"]["scenes"]),
    )
