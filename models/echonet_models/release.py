"""A release: the model, its card, and the card's text for people."""

from collections import Counter, defaultdict
from collections.abc import Mapping
import json
from pathlib import Path
import textwrap
from typing import Any

from .beginnings import store_beginning
from .calibration import read_calibration
from .datasets import BACKGROUND, CLASSES, OTHER, Split
from .errors import ModelsError
from .evaluation import EVALUATION_FILE, IMITATION, LEVELS
from .evaluation.run import OWN
from .evaluation.tables import AIM_HEADER, aim_rows, markdown
from .export import CARD_FILE, Precision, convert, store_card, write_release
from .material import Material
from .networks.streaming import StreamingNetwork
from .training import SCHEDULE_FILE, STATE_FILE, load_network

KINDS = (OTHER, IMITATION, BACKGROUND)

MODEL_CARD_FILE = "MODEL_CARD.md"
# For whoever trains; satellites do without.
BEGINNING_FILE = "weights.npz"

CARD_TEXT = """\
# {name} {version}

A streaming sound classifier for eight classes, trained from random weights by `echonet-models train`. Every 160 ms it
takes 16 log-mel frames and its states, and gives two rows of independent probabilities.

- File: `model.tflite`, {precision} weights, SHA-256 `{sha256}`
- On a scene of sounds and on noise its probabilities are {off:.4f} off the network's on average, {most_off:.3f} at most
- Convolutions with {channels} channels, causal in time; a recurrent layer of {recurrent}
- Confidence is calibrated on the tune split

## Figures

Measured by `echonet-models evaluate` on the {split} split; thresholds come from the tune split; no two splits share a
recording. Recall is that of clips, through the satellite's own detector, with a 95 % interval over recordings. False
alarms are detections per hour of clips that do not hold the class: `other` clips are short, and those that imitate the
class are counted again by themselves; background is music, talk, ambience and effects. More of it, beside YAMNet and
mn04, is in `docs/evaluation.md`.

{figures}
## What was aimed at

At medium sensitivity.

{aims}

Tried for what is not reached: mixtures with rooms, microphones, several events and backgrounds; classes and sources of
few recordings heard more often; sounds that are made up and recordings bent far, both judged by YAMNet; two teachers,
with more weight on what tells shots and alarms from what is like them, and what whole mixtures sound like to them; an
assistant that tells our classes by what both teachers hear, and is learned from in turn; every frame against the mean
of the last seconds, and another microphone each time that a mixture is learned from; six rounds of training, and means
of two of them; a seventh, in which the teachers weighed less, and a whole training from random weights like that, both
of which heard fewer shots and alarms and are not in it. What each of these is, and what else brought nothing, is in
`docs/models.md`.

## What it learned from

{learned}

{recordings}

Smoke and CO alarms (T3, T4) are also synthesised. Where a clip holds its class was judged by its level, by YAMNet and
by the distance of YAMNet's embeddings from what training clips are like. The network also learned what YAMNet and mn04
hear in these clips; nothing of their weights is in it.

## Where it fails

- Few recordings: see the intervals. Other microphones and rooms do worse than the validation split.
- Screams and many gunshots come from games; few smoke alarms are real recordings.
- Talk and music are few voices and styles, and there is no long recording of one home: the false alarms measured here
  flatter.

It is no certified alarm. Keep smoke and CO alarms, and whoever watches over a child.
"""

BEFORE_TEXT = (
    "It went on from the weights of an earlier training, from random weights, which had learned from {} pools of the"
    " same recordings. Then it learned from "
)
LEARNED_TEXT = (
    "{pools} pools of {pool_size} mixtures of 10 s, each learned from {passes} times, made with seed {seed} of the"
    " recordings below (train split), by licence. The weights are those after pool {released}, the best on the tune"
    " split."
)
BLENDED_TEXT = (
    " Of these the released network has a share of {}, weight by weight; the rest is from where it began."
)
HEEDS_TEXT = (
    " To what it learned from labels it adds a share, chosen on the tune split, of what it thinks that the assistant"
    " would say: {}."
)

FIGURES_TEXT = """\
### Sensitivity {level}

| class | threshold | recall | clips (recordings) | false alarms / h: other | its imitations | background |
| --- | --- | --- | --- | --- | --- | --- |
{rows}
"""


def release_run(
    run: Path, directory: Path, *, version: str, material: Material, precision: str = "int8"
) -> str:
    """Write the trained network of `run` with its measured figures into `directory`.

    Returns:
        What was written, and what each precision would have cost, for a person.

    Raises:
        ModelsError: it has not been evaluated, or the precision changes what it hears.
    """
    path = run / EVALUATION_FILE
    if not path.is_file():
        raise ModelsError(f"{run} has no {EVALUATION_FILE}: run `echonet-models evaluate --run {run}` first")
    figures = json.loads(path.read_text(encoding="utf-8"))
    state = json.loads((run / STATE_FILE).read_text(encoding="utf-8"))
    schedule = json.loads((run / SCHEDULE_FILE).read_text(encoding="utf-8"))
    training = {
        **schedule,
        "trained_pools": state["pool"],
        "released_pool": state["best_pool"],
        "pools_before": state["pools_before"],
        "blended": state["blended"],
        "tune_average_precision": state["best"],
        "heeds": calibration.heeds if (calibration := read_calibration(run)) else (),
    }
    data = {"training": training, "recordings": _recordings(material)}
    network = load_network(run)
    card = write_release(
        directory,
        network,
        name="echonet",
        version=version,
        decision=figures["decision"],
        metrics=_metrics(figures),
        data=data,
        precision=Precision(precision),
    )
    beginning = load_network(run, calibrated=False)
    store_beginning(directory / BEGINNING_FILE, beginning, state["pools_before"] + state["best_pool"])
    _store_text(directory, json.loads(card.read_text(encoding="utf-8")))
    costs = "\n".join(_cost(network, each) for each in Precision)
    return f"{costs}\nwritten: {directory}, with {precision} weights"


def measured_as_released(directory: Path, figures_path: Path) -> Path:
    """Put the figures of a released file in its card, in place of those of the network that it was converted from.

    Args:
        directory: of the release.
        figures_path: what the evaluation of that release has written.

    Returns:
        The card for people.

    Raises:
        ModelsError: the figures are those of another file.
    """
    path = directory / CARD_FILE
    card = json.loads(path.read_text(encoding="utf-8"))
    figures = json.loads(figures_path.read_text(encoding="utf-8"))
    if figures.get("model", {}).get("sha256") != card["sha256"]:
        raise ModelsError(
            f"{figures_path} is about another file than {directory}: run the same command with --write"
        )
    card["metrics"] = _metrics(figures)
    store_card(path, card)
    return _store_text(directory, card)


def _metrics(figures: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "split": figures["split"],
        "sensitivity": figures["sensitivity"],
        # A short evaluation measures no peers beside it.
        "aims": aim_rows(figures.get("systems", {OWN: figures})[OWN]),
    }


def _store_text(directory: Path, card: Mapping[str, Any]) -> Path:
    path = directory / MODEL_CARD_FILE
    path.write_text(model_card(card), encoding="utf-8")
    return path


def _cost(network: StreamingNetwork, precision: Precision) -> str:
    """Say what a precision costs, or why it cannot be had; it may be the one that was not asked for."""
    try:
        return str(convert(network, precision))
    except ModelsError as error:
        return f"{precision:>8}: {error}"


def model_card(card: Mapping[str, Any]) -> str:
    """Return the text of a card."""
    training = card["data"]["training"]
    return CARD_TEXT.format(
        name=card["name"],
        version=card["version"],
        sha256=card["sha256"],
        channels=", ".join(str(convolution[0]) for convolution in card["network"]["convolutions"]),
        recurrent=card["network"]["recurrent"],
        split=card["metrics"]["split"],
        precision=card["precision"]["weights"],
        off=card["precision"]["agreement"]["mean"],
        most_off=card["precision"]["agreement"]["largest"],
        figures="\n".join(_figures(card, str(level)) for level in LEVELS),
        aims=markdown(AIM_HEADER, card["metrics"]["aims"]),
        learned=_learned(training),
        recordings=_recordings_table(card["data"]["recordings"]),
    )


def _learned(training: Mapping[str, Any]) -> str:
    before, blended = training["pools_before"], training["blended"]
    text = LEARNED_TEXT.format(
        pools=training["trained_pools"],
        pool_size=training["pool_size"],
        passes=training["passes"],
        seed=training["seed"],
        released=training["released_pool"],
    )
    text = (BEFORE_TEXT.format(before) if before else "") + text
    if blended is not None:
        text += BLENDED_TEXT.format(blended)
    if training["heeds"]:
        each = zip(CLASSES, training["heeds"], strict=True)
        text += HEEDS_TEXT.format(", ".join(f"{str(name).replace('_', ' ')} {heed:g}" for name, heed in each))
    return textwrap.fill(text, 119)


def _figures(card: Mapping[str, Any], level: str) -> str:
    measured = card["metrics"]["sensitivity"][level]
    rows = []
    for name in card["classes"]:
        recall, alarms = measured["recall"][name], measured["false_alarms_per_hour"][name]
        cells = [
            name,
            f"{card['decision'][name]['thresholds'][level]:.2f}",
            f"{recall['value']:.2f} ({recall['low']:.2f}-{recall['high']:.2f})",
            f"{recall['clips']} ({recall['recordings']})",
            *(f"{alarms[label]['per_hour']:.1f} in {alarms[label]['hours']:.2f} h" for label in KINDS),
        ]
        rows.append(f"| {' | '.join(cells)} |")
    return FIGURES_TEXT.format(level=level, rows="\n".join(rows))


def _recordings_table(recordings: Mapping[str, Any]) -> str:
    rows = ["| label | recordings | clips by licence |", "| --- | --- | --- |"]
    for label, counted in recordings.items():
        licences = ", ".join(f"{name} {count}" for name, count in counted["licences"].items())
        rows.append(f"| {label} | {counted['recordings']} | {licences} |")
    return "\n".join(rows)


def _recordings(material: Material) -> dict[str, Any]:
    origins: dict[str, set[str]] = defaultdict(set)
    licences: dict[str, Counter[str]] = defaultdict(Counter)
    for clip in material.of(Split.TRAIN):
        origins[clip.label].add(clip.origin)
        licences[clip.label][clip.licence_class] += 1
    return {
        str(label): {"recordings": len(origins[label]), "licences": dict(sorted(licences[label].items()))}
        for label in (*CLASSES, OTHER, BACKGROUND)
    }
