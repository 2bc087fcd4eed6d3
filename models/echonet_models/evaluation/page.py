"""The page about how well it hears: tables first, then how they were measured."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from . import tables
from .aims import word
from .events import MEAN
from .literature import C_GUN_ACCURACY, E_SCREAM_F1, E_SCREAM_F1_ADAPTED
from .plots import PICTURES, draw
from .run import OWN

PAGE = "evaluation.md"

TEXT = """\
<!-- Written by `echonet-models evaluate --write`; what is changed here by hand is lost. -->
# How well it hears

{quick}The figures of one model on recordings that it never learned from: {model}. Beside it, on the same
sound by the same command: YAMNet, the classifier that Frigate and MediaPipe run (a score of 0.8 is Frigate's
rule), and mn04, a larger network trained on AudioSet. Brackets are 95 % intervals; where there are few
recordings they are wide, and the figure before them is little more than a guess.

## What was aimed at

At medium sensitivity, which is what a satellite starts with.

{aims}

## At home

**Does it hear it?** The share of clips in which the satellite's own detector reports the class, and how often
it reports it in an hour of background that does not hold it (music, talk, ambience).

{sensitivity}

**Does it shout at the television?** False alarms in 24 hours of background, all safety classes together
({safety}). There is little background to measure on: a single alarm in it counts for dozens a day, and none
at all does not mean none in a day, as the brackets say.

{background}

**Does it fall for imitations?** Detections in an hour of nothing but sounds that were chosen because they are
like the class: fireworks for shots, dropped cutlery for glass, ringtones for alarms. No home sounds like
that.

{imitations}

**How soon?** Median / 95th percentile from the onset of a sound to the moment at which its detection is known
(in how many of the sounds). Sending it to Home Assistant comes on top: see [latency](latency.md).

{latency}

![From onset to detection]({pictures}/latency.png)

{sources}
## Beside other classifiers

Recall of clips:

{recall}

Every threshold is a choice between what is missed and what is reported wrongly. Further down and left is
better:

![Missed sounds against false alarms]({pictures}/trade-off.png)

## Events in noise

Mixtures of 30 s after DCASE 2017 task 2: a background of the validation split, in half of them one gunshot,
breaking glass or crying baby at -6, 0 or +6 dB. An event counts as found when its onset is found within half
a second. The error rate is what is missed and what is reported wrongly, divided by the number of events: 0 is
perfect, 1 is what silence would get.

{events}

![Event error rates]({pictures}/events.png)

The same, for a listener that knows that a mixture holds at most one event, as the systems of the task did
(the run of steps with the highest score, none where that is below the threshold):

{events_one}

As the satellite ships, without anything chosen for mixtures (medium sensitivity, its own onsets): {shipped}.

The literature on DCASE's own recordings and mixtures, with other backgrounds and other events, so not to be
compared digit by digit:

{event_literature}

## Windows: the table of the literature

Windows of 0.96 s every 0.48 s of the validation clips, each asked about each class by itself. A window holds
a class when a quarter of it sounds so (of a shot or of breaking glass, a single step of 80 ms); windows of
which that is unsure are left out. Thresholds are those with the best F1 on the tune split. Precision depends
on how much of what there is to be heard: here most windows are backgrounds and other sounds.

{windows}

{window_systems}

Security cameras (eight classes, no screams, their own data, one class a window):

{literature}

Gun or not gun, of clips: {gun}; screams: F1 {scream}, with recordings of both cities to learn from
{scream_adapted} (each on its own data).

## Deeper

### How it can be tuned

Area under the ROC curve / average precision of windows:

{areas}

![ROC curves]({pictures}/roc.png)

### Whether a confidence means what it says

Where the line is on the diagonal, a confidence of 0.8 is right in 80 % of the windows. The expected
calibration error is the mean distance from it:

{reliability}

![Reliability]({pictures}/reliability.png)

### What is taken for what

Rows are what a clip holds, columns what is detected in it (left) and how sure the network is of it at most,
on average (right). A clip may hold more than its label: many a baby cries in a room in which somebody walks.

![Confusion and threshold matrices]({pictures}/confusion.png)
### How it was measured

- **Sound.** Recordings are in one split each: train, tune or validation. Thresholds, rules and calibration
  are chosen on tune; every figure here is of validation. Clips whose label is unsure are left out. {mixtures}

{audio}

- **Thresholds** of the three sensitivities are chosen on tune. But the rule that chooses them (its prices, its
  recalls and which classes owe them, in `thresholds.py`) was settled after looking at validation figures of
  several candidates, and how often the mixtures of a training hold presence after looking at which
  validation clips were missed. So the figures at the three sensitivities are a little better than a fresh
  test would show; those without a threshold (average precision, trade-off curves) are touched only by the
  second.
- **Intervals** are 95 %: a bootstrap over recordings (1,000 resamples, by label), because clips of one
  recording are alike; those of false alarms are exact for a Poisson process.
- **Listeners** are causal: at any time only what had sounded by then is known. YAMNet hears windows of 0.975
  s every 0.48 s, and the score of a window counts from its end until the next; its score for a class is the
  highest of the AudioSet classes that surely mean it. mn04 hears the last 2.5 s every 0.96 s, padded to the
  10 s that it was trained on. Their thresholds, where tuned, were chosen on the tune split by the function
  that chooses ours, after a line per class through their logits (Platt) that brings them to a common scale
  and changes no order. One score over the threshold is a detection of a peer: a window of a second has
  confirmed itself. How long a detection lasts and when the next may begin is the same for all.
- **False alarms** are detections in clips that do not hold the class; a clip in which it may be heard is not
  counted. Hours are those of the sound itself.
- **Mixtures** are made from a seed: the loudest event of a clip by itself with its decay, at most 5 s, over a
  random part of a background; the ratio is that of their mean powers where the event lies. For each class and
  system a median filter, a level at which what passes the threshold later begins, a gap below which events are
  one, a constant shift of onsets and (unless it is fixed) the threshold were chosen on the mixtures of tune for
  the lowest error rate:

{rules}

- **Latency.** A clip is laid over the quiet of a room; its onset is the first 10 ms that come within 12 dB of
  its loudest. A detection is known when the block that decides it (160 ms and the 22 ms that its last frame
  looks ahead) or the peer's window has been heard to its end. Computing and the block of the sound card are
  not in it.
{agreement}
All figures: `evaluation.json` of the run, written by the same command.
"""


def write_page(figures: Mapping[str, Any], docs: Path) -> Path:
    """Write the page and its pictures, and return the page."""
    draw(figures, docs / PICTURES)
    path = docs / PAGE
    path.write_text(page(figures), encoding="utf-8")
    return path


def page(figures: Mapping[str, Any]) -> str:
    """Return the text of the page."""
    systems = figures["systems"]
    own = systems[OWN]
    return TEXT.format(
        quick="**A quick look at a few recordings: no measurement.** " if figures["quick"] else "",
        model=_model(figures["model"]),
        aims=tables.aim_table(systems, OWN),
        sensitivity=tables.sensitivity_table(own),
        safety=", ".join(word(name) for name in figures["safety"]),
        background=tables.background_table(systems),
        imitations=tables.imitation_table(systems),
        latency=tables.latency_table(systems),
        pictures=PICTURES.as_posix(),
        recall=tables.recall_table(systems),
        events=tables.event_table(systems, "every"),
        events_one=tables.event_table(systems, "one"),
        shipped=_shipped(own["events"]["shipped"]),
        event_literature=tables.event_literature_table(),
        windows=tables.window_table(own),
        window_systems=tables.window_systems_table(systems),
        literature=tables.literature_table(),
        gun=f"{100 * C_GUN_ACCURACY:.1f} %",
        scream=f"{E_SCREAM_F1:.2f}",
        scream_adapted=f"{E_SCREAM_F1_ADAPTED:.2f}",
        areas=tables.area_table(systems),
        reliability=tables.reliability_table(own),
        sources=_sources(figures),
        mixtures=_mixtures(figures["audio"]),
        audio=tables.audio_table(figures["audio"]),
        rules=tables.rule_table(systems),
        agreement=_agreement(figures.get("agreement")),
    )


def _model(model: Mapping[str, Any]) -> str:
    if model["kind"] == "released":
        return (
            f"the released `{model['name']}` {model['version']} ({model['bytes'] / 1e6:.2f} MB, SHA-256"
            f" `{model['sha256']}`), through the satellite's own classifier"
        )
    return f"the network of a training that is not released yet (SHA-256 of its weights `{model['sha256']}`)"


def _mixtures(audio: Mapping[str, Any]) -> str:
    mixtures = audio["mixtures"]
    return (
        f"Mixtures: {mixtures['tune']} of tune, {mixtures['validation']} of validation (half of each class's without"
        f" an event, shared by the classes); onsets: {audio['onsets']}."
    )


def _shipped(found: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{'mean' if name == MEAN else word(name)} {tables.number(each['all'])}"
        for name, each in found.items()
    )


def _sources(figures: Mapping[str, Any]) -> str:
    if "sources" not in figures:
        return ""
    text = (
        "\n## On microphones and in rooms it has never heard\n\n"
        "A second network, trained by the same command on the sources that are left when whole collections are taken"
        " out of each class, and measured on those at medium sensitivity. Expect this of a new home, where nobody has"
        f" chosen the best recording.{_lengths(figures['sources'])}\n\n"
    )
    table = tables.source_table(figures["systems"][OWN], figures["sources"])
    precision = (
        "Average precision is over the clips of new sources, by their highest probability: how well the class is told"
        " from other sounds, whatever the threshold."
    )
    return f"{text}{table}\n{precision}\n"


def _lengths(sources: Mapping[str, Any]) -> str:
    if sources.get("pools_of_ours", sources["pools"]) == sources["pools"]:
        return ""
    return (
        f" It learned from {sources['pools']} pools of mixtures and the released one from"
        f" {sources['pools_of_ours']}: part of the difference is that."
    )


def _agreement(found: Mapping[str, Any] | None) -> str:
    if found is None:
        return ""
    return (
        f"- **The released file and the network of the training** agree: over {found['clips']} validation clips their"
        f" probabilities differ by at most {found['largest_difference']:.3f} (in the median clip by"
        f" {found['median_difference']:.4f}), and {100 * found['same_detections']:.1f} % of the clips have the same"
        " detections.\n"
    )
