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
from ..training.run import ADAPTED, fold_name
from .pooled import STEP_FRAMES
from .reference import make_reference
from .run import MODEL_FILE, read_figures
from .tables import detection_table, headline, ranking_table, scene_table

CARD_FILE, MODEL_CARD_FILE, NOTICE_FILE = "model.json", "MODEL_CARD.md", "NOTICE"

CARD_TEXT = """\
# {name} {version}

A classifier of sounds for eight classes. Every 160 ms it looks at the last 1.6 s (160 log-mel frames of 104 bands) and
gives eight independent probabilities, what it makes of AudioSet's 527 classes, and an embedding of {embedding} numbers.

- File: `model.tflite`, {megabytes:.1f} MB, weights in 16 bits, SHA-256 `{sha256}`
- On random windows its probabilities are at most {difference:.4f} off the network's that was trained
- It began as EfficientAT's `mn04_as` (MIT, see NOTICE); every layer of it was trained on by `echonet-models train`,
  {steps} steps of {batch} windows after an adaptation of {adaptation} steps to short windows. Our classes began as a
  regression on what YAMNet and mn04 together say of AudioSet's classes, and while it learned them it kept answering
  what these two say, also on sound that nobody labelled, in noise and in mixtures

## How it was judged

Whole sources were left out, in three folds: three networks were trained like the released one, each without a third of
the sources of each class, and everything below is what they said of sources that they had never heard. Thresholds for
a fold were chosen on the other folds; those of the released network, which has heard everything, on all three. By
`echonet-models evaluate`; more of it, with intervals and the teachers beside it, in `docs/evaluation.md`.

{headline}

{ranking}

At medium sensitivity:

{detections}

{scenes}

## Where it fails

- Few recordings: see how many there are of each class. Screams and many gunshots come from games, few smoke alarms are
  real recordings, and there is no carbon monoxide alarm among them: those are known by their rhythm.
- Talk and music are few voices and styles, and there is no long recording of one home: the false alarms measured here
  flatter.

It is no certified alarm. Keep smoke and CO alarms, and whoever watches over a child.
"""

NOTICE_TEXT = """\
The network in model.tflite was trained from the weights of EfficientAT's mn04_as
(https://github.com/fschmid56/EfficientAT), every layer of it, by this project's own code.

EfficientAT is under the MIT licence:

Copyright (c) Florian Schmid, Khaled Koutini and Gerhard Widmer

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without limitation the
rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and to permit
persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the
Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE
WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR
COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.

While it learned, it also learned to answer as YAMNet does (Google, Apache License 2.0). The names of AudioSet's classes
are from the AudioSet ontology (Google, CC BY 4.0).
"""


def release_run(run: Path, directory: Path, *, version: str) -> str:
    """Write the network that heard everything, with the folds' figures, into `directory`; return a line about it.

    Raises:
        ModelsError: it has not been evaluated.
    """
    figures = read_figures(run)
    file = figures["file"]
    content = (run / MODEL_FILE).read_bytes()
    schedules = {
        name: json.loads((run / folder / "schedule.json").read_text(encoding="utf-8"))
        for name, folder in (("adaptation", ADAPTED), ("tuning", fold_name(None)))
    }
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
        "training": schedules | {"largest_difference": file["largest_difference"]},
        "metrics": {key: figures[key] for key in ("summary", "ranking", "levels")},
    }
    directory.mkdir(parents=True, exist_ok=True)
    (directory / MODEL_FILE).write_bytes(content)
    (directory / CARD_FILE).write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    (directory / MODEL_CARD_FILE).write_text(card_text(card, len(content)), encoding="utf-8")
    (directory / NOTICE_FILE).write_text(NOTICE_TEXT, encoding="utf-8")
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
    return CARD_TEXT.format(
        name=card["name"],
        version=card["version"],
        sha256=card["sha256"],
        embedding=card["embedding_size"],
        megabytes=size / 1e6,
        difference=card["training"]["largest_difference"],
        steps=card["training"]["tuning"]["steps"],
        batch=card["training"]["tuning"]["batch"],
        adaptation=card["training"]["adaptation"]["steps"],
        headline=headline(metrics),
        ranking=ranking_table(metrics),
        detections=detection_table(metrics["levels"]["medium"]),
        scenes=scene_table(metrics["levels"]["medium"]["scenes"]),
    )
