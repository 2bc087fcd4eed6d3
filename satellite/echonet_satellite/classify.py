"""`echonet-satellite classify FILE...`: what the satellite hears in sound files."""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
import json
from pathlib import Path
import sys
from typing import Any, Final

import numpy as np

from .audio import SAMPLE_RATE, AudioError
from .audio.file import read_blocks, shown
from .channel import Blend, Channel, parse_channel
from .classifier import Classifier, Heard, load_classifier
from .decision import StreamEvent
from .errors import EchonetError
from .frontend import Floats
from .hearing import Hearing
from .protocol import AlarmPattern, Phase, Sensitivity, SoundClass
from .report import IN_WORDS

_LEVELS: Final = tuple(level.value for level in Sensitivity if level is not Sensitivity.OFF)
# A day and a little: whatever is longer is no recording, or a pipe that nobody meant to classify.
LONGEST_S: Final = 25 * 3600.0
_PROGRESS_S: Final = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One detection in a file; times are seconds from its start."""

    sound_class: SoundClass
    onset_s: float
    end_s: float
    confidence: float
    pattern: AlarmPattern | None


@dataclass(slots=True)
class _Recorder:
    """Collects the probabilities of all files, for those who want to decide for themselves."""

    step_s: float
    files: list[str] = field(default_factory=list)
    rows: list[Floats] = field(default_factory=list)
    index: list[int] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    _steps: int = 0

    def begin(self, path: Path) -> None:
        self.files.append(shown(path))
        self._steps = 0

    def take(self, heard: Heard) -> None:
        self._steps += 1
        self.rows.append(heard.probabilities)
        self.index.append(len(self.files) - 1)
        self.times.append(self._steps * self.step_s)

    def save(self, path: Path, classes: Sequence[SoundClass]) -> None:
        try:
            with path.open("wb") as file:
                np.savez_compressed(
                    file,
                    classes=np.array([name.value for name in classes]),
                    files=np.array(self.files, dtype=np.str_),
                    file_index=np.array(self.index, dtype=np.int32),
                    times=np.array(self.times, dtype=np.float64),
                    probabilities=np.array(self.rows, dtype=np.float32).reshape(-1, len(classes)),
                )
        except OSError as err:
            raise EchonetError(f"cannot write {path}: {err.strerror}") from None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    parser.description = (
        "Say what is heard in sound files (WAV, FLAC, OGG, Opus, MP3; with PyAV also M4A, WebM and more), faster than "
        "real time."
    )
    parser.add_argument(
        "files", nargs="+", type=Path, metavar="FILE", help="a sound file, or - for standard input"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object per detection and line")
    parser.add_argument(
        "--sensitivity",
        choices=_LEVELS,
        default=Sensitivity.MEDIUM.value,
        help="of all classes (default: medium)",
    )
    parser.add_argument(
        "--channel",
        type=parse_channel,
        default=Blend.LOUDEST,
        metavar="mix|loudest|N",
        help="which of several channels to hear (default: the loudest of each moment)",
    )
    parser.add_argument(
        "--probabilities",
        type=Path,
        metavar="OUT.npz",
        help="write the probability of each class in each step: arrays classes, files, file_index, times (end of "
        "the step in seconds from the start of its file), probabilities",
    )
    parser.add_argument(
        "--model",
        type=Path,
        metavar="DIR",
        help="folder with model.tflite and model.json (default: the model that came with the satellite)",
    )


def run(args: argparse.Namespace) -> int:
    """Classify the files and return the exit status: 1 where one of them could not be read."""
    try:
        classifier = load_classifier(args.model)
        card = classifier.card
        recorder = _Recorder(card.step_s) if args.probabilities else None
        failed = False
        for path in args.files:
            findings = find(path, classifier, Sensitivity(args.sensitivity), recorder, channel=args.channel)
            failed |= not _tell(path, findings, lines=args.json)
        if recorder is not None:
            recorder.save(args.probabilities, card.classes)
    except EchonetError as err:
        _complain(err)
        return 1
    return int(failed)


def find(
    path: Path,
    classifier: Classifier,
    sensitivity: Sensitivity,
    recorder: _Recorder | None = None,
    *,
    longest_s: float = LONGEST_S,
    channel: Channel = Blend.LOUDEST,
) -> Iterator[Finding]:
    """Yield the detections of a file (`-`: of standard input) as they end.

    Raises:
        AudioError: the file cannot be read, from the start or from some point on, or is too long.
    """
    hearing = Hearing(
        classifier,
        dict.fromkeys(classifier.card.classes, sensitivity),
        on_heard=None if recorder is None else recorder.take,
    )
    heard = 0.0
    try:
        for block in read_blocks(path, channel=channel):
            if not heard and recorder is not None:
                recorder.begin(path)
            heard += len(block) / SAMPLE_RATE
            if heard > longest_s:
                raise AudioError(f"{path} is longer than {longest_s / 60:g} minutes: cut it into pieces")
            yield from _findings(hearing.push(block), heard)
            _show_progress(path, heard)
    except AudioError:
        if heard:  # what was heard before the damage was heard
            yield from _findings(hearing.finish(), heard)
        raise
    yield from _findings(hearing.finish(), heard)


def _findings(events: Sequence[StreamEvent], length_s: float) -> Iterator[Finding]:
    for event in events:
        if event.phase is Phase.END:
            # What was heard in the silence that was added behind the file was at its very end.
            end_s = min(event.heard_s, length_s)
            yield Finding(
                sound_class=event.sound_class,
                onset_s=min(event.onset_s, end_s),
                end_s=end_s,
                confidence=event.confidence,
                pattern=event.pattern,
            )


def _tell(path: Path, findings: Iterator[Finding], *, lines: bool) -> bool:
    """Print the detections of one file; return whether it could be read to its end."""
    found = 0
    if not lines:
        print(shown(path))
    try:
        for finding in findings:
            if not lines and not found:
                print(f"  {'sound':<12} {'begins':>9} {'ends':>9} {'sure':>6}   kind")
            found += 1
            print(_json_line(path, finding) if lines else _row(finding), flush=True)
    except EchonetError as err:
        _complain(err)
        return False
    if not found and not lines:
        print("  nothing was heard")
    return True


def as_json(finding: Finding) -> dict[str, Any]:
    """Return a detection as the JSON object that programs are given."""
    return {
        "class": finding.sound_class.value,
        "onset": round(finding.onset_s, 3),
        "end": round(finding.end_s, 3),
        "confidence": round(finding.confidence, 4),
        "pattern": finding.pattern.value if finding.pattern else None,
    }


def _json_line(path: Path, finding: Finding) -> str:
    return json.dumps({"file": shown(path), **as_json(finding)})


def _row(finding: Finding) -> str:
    # Without its article.
    kind = IN_WORDS[finding.pattern].partition(" ")[2] if finding.pattern in IN_WORDS else ""
    name = finding.sound_class.value.replace("_", " ")
    return (
        f"  {name:<12} {finding.onset_s:>7.2f} s {finding.end_s:>7.2f} s {finding.confidence:>6.0%}   {kind}"
    ).rstrip()


def _show_progress(path: Path, heard_s: float) -> None:
    """Say how far a long file has been heard, where somebody watches."""
    if sys.stderr.isatty() and heard_s >= _PROGRESS_S and round(heard_s) % _PROGRESS_S < 1:
        print(f"\r{shown(path)}: {heard_s / 60:.0f} min heard\r", end="", file=sys.stderr, flush=True)


def _complain(err: EchonetError) -> None:
    sys.stdout.flush()
    print(f"echonet-satellite: {err}", file=sys.stderr)
