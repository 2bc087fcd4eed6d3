"""The command `clean`: what cleaning found, as a table and as a page to listen to and to decide on."""

import argparse
from collections import Counter
from collections.abc import Mapping, Sequence
import csv
from dataclasses import dataclass
import html
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import soundfile

from echonet_satellite.frontend import FrontendParameters, log_mel
from echonet_satellite.protocol import SoundClass

from .activity import STEP, seconds
from .cleaning import DOUBTED, DROPPED, KEPT, Judgement, Verdict, Verdicts, judge_clips, settle
from .datasets import CLASSES, Clip, Protocol, data_directory, read_manifest, split_by
from .decisions import COLUMNS, adopt_decisions, standing_decisions
from .embeddings import EMBEDDING_HOP
from .material import DEFAULT_CACHE
from .progress import track
from .recordings import SAMPLE_RATE, Recordings, Samples, open_recordings
from .teachers import WINDOW, teachers_directory

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001 - argparse has no public name for it

DEFAULT_REPORT = Path("runs/cleaning")
CONTEXT_S = 1.0
LONGEST_S = 6.0
NAMES_FILE = "yamnet_class_map.csv"


@dataclass(frozen=True, slots=True)
class Stretch:
    """Steps in a row of one clip that are doubted or dropped, with what was found in the worst window of them."""

    clip: Clip
    verdict: Verdict
    first: int
    stop: int
    distance: float
    """To its own class, cosine, 0 to 2."""
    rival: str
    rival_distance: float
    level_db: float
    """Under the loudest moment of the clip."""
    taught: str
    """What the teacher hears."""

    @property
    def worth(self) -> float:
        """How much nearer something else is: what to listen to first."""
        return self.distance - self.rival_distance


@dataclass(frozen=True, slots=True)
class Findings:
    """What cleaning says of all clips of a class."""

    counts: dict[SoundClass, Counter[Verdict]]
    """Windows of 0.975 s, by class and verdict."""
    unheard: dict[SoundClass, list[Clip]]
    """Clips of which nothing is kept."""
    stretches: list[Stretch]


def find(
    clips: Sequence[Clip], judgement: Judgement, steps: Mapping[str, Verdicts], names: Sequence[str]
) -> Findings:
    """Return what to report, the stretches that are most likely mistakes first.

    Args:
        clips: any clips; those of no class are passed over.
        judgement: the verdicts on their windows and what they rest on.
        steps: the verdicts on their steps, by path, with the decisions of a person.
        names: of the teacher's outputs.
    """
    counts: dict[SoundClass, Counter[Verdict]] = {name: Counter() for name in CLASSES}
    unheard: dict[SoundClass, list[Clip]] = {name: [] for name in CLASSES}
    stretches: list[Stretch] = []
    for clip in clips:
        own = clip.sound_class
        if own is None:
            continue
        for verdict, code in ((Verdict.KEEP, KEPT), (Verdict.DOUBTFUL, DOUBTED), (Verdict.DROP, DROPPED)):
            counts[own][verdict] += int((judgement.verdicts[clip.path] == code).sum())
        if not (steps[clip.path] == KEPT).any():
            unheard[own].append(clip)
        stretches.extend(_stretches(clip, own, judgement, steps[clip.path], names))
    return Findings(counts, unheard, sorted(stretches, key=lambda stretch: -stretch.worth))


def table(findings: Findings, worst: int = 3) -> str:
    """Return the findings as text: a line for each class, then the worst stretches of each."""
    lines = [f"{'class':12}{'windows':>9}{'kept':>9}{'doubtful':>10}{'dropped':>9}{'clips all doubted':>19}"]
    for name, counts in findings.counts.items():
        numbers = (counts[Verdict.KEEP], counts[Verdict.DOUBTFUL], counts[Verdict.DROP])
        lines.append(
            f"{name:12}{sum(numbers):9}{numbers[0]:9}{numbers[1]:10}{numbers[2]:9}{len(findings.unheard[name]):19}"
        )
    for name in findings.counts:
        lines.extend(
            f"{name}: {stretch.clip.path} at {seconds(stretch.first):.2f} s {stretch.verdict}: distance "
            f"{stretch.distance:.2f}, to {stretch.rival} {stretch.rival_distance:.2f}; the teacher hears "
            f"{stretch.taught}"
            for stretch in _worst(findings, name, worst)
        )
    return "\n".join(lines)


def write_page(findings: Findings, recordings: Recordings, directory: Path, worst: int) -> Path:
    """Write the page with the worst stretches of each class, as spectrograms and to listen to; return its path."""
    directory.mkdir(parents=True, exist_ok=True)
    for old in (*directory.glob("*.flac"), *directory.glob("*.png")):
        old.unlink()
    chosen = [stretch for name in findings.counts for stretch in _worst(findings, name, worst)]
    rows = []
    for number, stretch in enumerate(track(chosen, "drawing")):
        samples = recordings[stretch.clip.path]
        start, stop = _span(stretch, len(samples))
        _draw(directory / f"{number:03d}.png", samples[start:stop])
        soundfile.write(directory / f"{number:03d}.flac", samples[start:stop], SAMPLE_RATE)
        rows.append(_row(number, stretch, start / SAMPLE_RATE, stop / SAMPLE_RATE))
    page = directory / "index.html"
    page.write_text(
        PAGE.format(table=html.escape(table(findings, 0)), rows="\n".join(rows), columns=",".join(COLUMNS)),
        encoding="utf-8",
    )
    return page


def add_parser(commands: "Commands") -> None:
    """Add the command `clean`."""
    clean = commands.add_parser(
        "clean", help="find windows of clips that do not hold their class; listen, decide"
    )
    clean.add_argument(
        "--to", type=Path, default=DEFAULT_REPORT, help="folder for the page to listen to (%(default)s)"
    )
    clean.add_argument(
        "--decisions",
        type=Path,
        help=f"file of what you decided ({','.join(COLUMNS)}); counts from now on in all that learns from this cache",
    )
    clean.add_argument("--worst", type=int, default=20, help="stretches of each class to show (%(default)s)")
    clean.add_argument(
        "--protocol",
        type=Protocol,
        choices=list(Protocol),
        default=Protocol.RECORDING,
        help="which split tells what the classes are like (%(default)s)",
    )
    clean.add_argument("--data", type=Path, help="folder of recordings (else ECHONET_DATA)")
    clean.add_argument("--teachers", type=Path, help="folder of teachers (else ECHONET_TEACHERS)")
    clean.add_argument(
        "--cache", type=Path, default=DEFAULT_CACHE, help="folder for decoded recordings (%(default)s)"
    )
    clean.set_defaults(command=_clean)


def _clean(options: argparse.Namespace) -> None:
    directory, teachers = data_directory(options.data), teachers_directory(options.teachers)
    clips = read_manifest(directory)
    recordings = open_recordings(directory, clips, options.cache)
    if options.decisions:
        adopt_decisions(options.decisions, options.cache)
    decisions = standing_decisions(options.cache)
    judgement = judge_clips(clips, recordings, options.cache, teachers, split_by(options.protocol, clips))
    settled = settle(judgement.verdicts, recordings, decisions)
    findings = find(clips, judgement, settled, _names(teachers / NAMES_FILE))
    print(table(findings))
    page = write_page(findings, recordings, options.to, options.worst)
    known = {clip.path for clip in clips}
    strange = [decision.path for decision in decisions if decision.path not in known]
    print(f"{len(decisions)} decisions of yours count" + (f"; no such clip: {strange[0]}" if strange else ""))
    print(
        f"to listen again: {page}; then: echonet-models clean --decisions FILE (what the page gave you to save)"
    )


def _stretches(
    clip: Clip, own: SoundClass, judgement: Judgement, steps: Verdicts, names: Sequence[str]
) -> list[Stretch]:
    distances = judgement.representatives.distances(judgement.embedded[clip.path])
    mine, rival, rivals = judgement.representatives.compare(own, distances)
    centre = (np.arange(len(mine)) * EMBEDDING_HOP + WINDOW / 2) / STEP
    borders = np.flatnonzero(np.diff(steps)) + 1
    found = []
    for first, stop in zip([0, *borders], [*borders, len(steps)], strict=True):
        if steps[first] == KEPT:
            continue
        inside = np.flatnonzero((centre >= first) & (centre < stop))
        if not len(inside):
            inside = np.array([np.abs(centre - (first + stop) / 2).argmin()])
        window = int(inside[(mine - rival)[inside].argmax()])
        scores = judgement.scores[clip.path][min(window, len(judgement.scores[clip.path]) - 1)]
        loudest = np.argsort(-scores.astype(int), kind="stable")[:3]
        found.append(
            Stretch(
                clip=clip,
                verdict=Verdict.DOUBTFUL if steps[first] == DOUBTED else Verdict.DROP,
                first=int(first),
                stop=int(stop),
                distance=float(mine[window]),
                rival=rivals[window],
                rival_distance=float(rival[window]),
                level_db=float(judgement.levels[clip.path][window]),
                taught=", ".join(f"{names[index]} {scores[index] / 256:.2f}" for index in loudest),
            )
        )
    return found


def _worst(findings: Findings, name: SoundClass, count: int) -> list[Stretch]:
    """Return the worst stretches of a class: doubtful ones first, and of each clip only one.

    Recordings take turns, so that one of many clips does not fill the list.
    """
    mine = [stretch for stretch in findings.stretches if stretch.clip.sound_class is name]
    mine.sort(key=lambda stretch: stretch.verdict is not Verdict.DOUBTFUL)
    one_each = {stretch.clip.path: stretch for stretch in reversed(mine)}
    ordered = sorted(one_each.values(), key=mine.index)
    turns: Counter[str] = Counter()
    keys = []
    for place, stretch in enumerate(ordered):
        keys.append((turns[stretch.clip.origin], place))
        turns[stretch.clip.origin] += 1
    return [ordered[place] for _turn, place in sorted(keys)][:count]


def _span(stretch: Stretch, length: int) -> tuple[int, int]:
    """Return from where to where to listen, in samples: the stretch and a second around it."""
    start = max(0, stretch.first * STEP - int(CONTEXT_S * SAMPLE_RATE))
    stop = min(length, stretch.stop * STEP + int(CONTEXT_S * SAMPLE_RATE))
    return start, min(stop, start + int(LONGEST_S * SAMPLE_RATE))


def _draw(path: Path, samples: Samples) -> None:
    import matplotlib.image  # noqa: PLC0415 - the command line is read without waiting for it

    frames = log_mel(np.pad(samples, (0, max(0, WINDOW - len(samples)))), FrontendParameters())
    matplotlib.image.imsave(path, frames.T, cmap="magma", origin="lower")


def _row(number: int, stretch: Stretch, start_s: float, stop_s: float) -> str:
    first_s, last_s = seconds(stretch.first), min(seconds(stretch.stop), stop_s)
    share = 100 / max(stop_s - start_s, WINDOW / SAMPLE_RATE)
    fields: dict[str, Any] = {
        "label": stretch.clip.label,
        "verdict": stretch.verdict,
        "path": html.escape(stretch.clip.path),
        "line": html.escape(
            f'"{stretch.clip.path}",{seconds(stretch.first):.2f},{seconds(stretch.stop):.2f}'
        ),
        "first": first_s,
        "last": last_s,
        "left": (first_s - start_s) * share,
        "width": (last_s - first_s) * share,
        "found": html.escape(
            f"distance {stretch.distance:.2f}, to {stretch.rival} {stretch.rival_distance:.2f}; "
            f"{stretch.level_db:.0f} dB; the teacher hears {stretch.taught}"
        ),
    }
    return ROW.format(number=number, **fields)


def _names(path: Path) -> list[str]:
    with path.open(newline="", encoding="utf-8") as lines:
        return [row["display_name"] for row in csv.DictReader(lines)]


ROW = """<tr><td>{label}<br>{verdict}</td>
<td><img src="{number:03d}.png" alt="spectrogram"><div style="margin-left:{left:.1f}%;width:{width:.1f}%"></div>
<audio controls preload="none" src="{number:03d}.flac"></audio></td>
<td>{path}<br>{first:.2f} to {last:.2f} s<br>{found}</td>
<td><button data-line="{line},keep">holds it</button> <button data-line="{line},drop">does not</button></td></tr>"""

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Windows that may not hold their class</title>
<style>body{{font:14px sans-serif;margin:2em}}td{{vertical-align:top;padding:.4em}}td img{{width:24em;height:6em;
image-rendering:pixelated;display:block}}td div{{height:4px;background:#c00}}textarea{{width:100%}}</style>
<h1>Windows that may not hold their class</h1>
<p>The red line is what is doubted. Listen, press what you hear, save the lines as a file and give it to
<code>echonet-models clean --decisions FILE</code>: what you decide counts for more than what was computed.</p>
<pre>{table}</pre>
<p><textarea id="decisions" rows="6">{columns}
</textarea></p><table>
{rows}
</table>
<script>document.addEventListener("click",event=>{{const line=event.target.dataset.line;
if(line)document.getElementById("decisions").value+=line+"\\n"}})</script></html>
"""
