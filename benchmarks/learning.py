"""Measure what a home teaches: sounds of its own from a few recordings, and false alarms that are tapped away.

usage: .venv-models/bin/python benchmarks/learning.py [--run FOLDER] [--write]

The networks of a run's folds are asked about recordings that they never heard, with the code that satellites run. The
strangers of a fold are dealt in two: one half of the recordings is the reference set, the other is judged on. What is
heard is kept in the run's folder. Needs TensorFlow (`scripts/setup models`), the recordings and the teachers, and a run
that `scripts/models` has trained and evaluated. `--write` puts the tables into docs/models.md.
"""

import argparse
from collections.abc import Mapping
from importlib.util import find_spec
import json
import os
from pathlib import Path
import sys
from typing import Any, Final
import zlib

ROOT: Final = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "satellite"), str(ROOT / "models")]
if find_spec("tensorflow") is None:
    sys.exit("error: TensorFlow is missing: scripts/setup models, then run this with .venv-models/bin/python")
# Before NumPy and TensorFlow are loaded: one thread for the one, and no notes in the progress line by the other.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from numpy.typing import NDArray

from benchmarks.lessons.home import REPEATS, Fold, Home, Stretch
from benchmarks.lessons.tapped import culprits, tapped_figures
from benchmarks.lessons.taught import taught_figures, things_to_teach
from echonet_models.cli import add_places, library_of
from echonet_models.data.folds import FOLDS
from echonet_models.data.library import Library
from echonet_models.data.manifest import BACKGROUND, CLASSES, OTHER, Clip
from echonet_models.data.teachers import teachers_directory
from echonet_models.errors import ModelsError
from echonet_models.evaluation.reference import assemble, one_of_each, telling
from echonet_models.evaluation.run import read_figures
from echonet_models.evaluation.tables import markdown
from echonet_satellite.card import MODEL_FILE
from echonet_satellite.learning.reference import Reference
from echonet_satellite.protocol import EchonetError, SoundClass

PAGE: Final = ROOT / "docs" / "models.md"
HOMES_FILE: Final = "homes.json"
_ALARMS: Final = 9
_BEGIN: Final = "<!-- written by `.venv-models/bin/python benchmarks/learning.py --write` -->"
_END: Final = "<!-- end -->"


def main() -> int:
    """Measure, print, write where that is wanted, and return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_places(parser)
    parser.add_argument("--write", action="store_true", help="write docs/models.md")
    options = parser.parse_args()
    try:
        figures = measure(options.run, library_of(options), teachers_directory(options.teachers))
        print(table(figures))
        if options.write:
            write_table(figures, PAGE)
            print(f"written to {PAGE}")
    except EchonetError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstopped; the same command goes on where it was", file=sys.stderr)
        return 130
    return 0


def measure(run: Path, library: Library, teachers: Path) -> dict[str, Any]:
    """Return all figures of a run's networks; what they hear is kept in the run's folder."""
    evaluated = read_figures(run)
    rules = evaluated["rules"]
    folds = [_fold(Home(run, library, teachers, number), library, rules) for number in range(FOLDS)]
    figures = {
        "sha256": evaluated["files"][MODEL_FILE]["sha256"],
        "false_alarms": tapped_figures(folds, rules),
        "taught": taught_figures(folds),
    }
    (run / HOMES_FILE).write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    return figures


def _fold(home: Home, library: Library, rules: Mapping[str, Any]) -> Fold:
    clips = {clip.path: clip for clip in library.clips}
    heard = home.strangers()
    things = home.again("things", things_to_teach(home.judged), REPEATS)
    wrong = home.again("culprits", culprits(heard, clips, rules), _ALARMS)
    reference, everyday = _reference({path: one for path, one in heard.items() if _first(clips[path])}, clips)
    judged = [
        (clips[path], one, reference.place(one.embeddings))
        for path, one in heard.items()
        if not _first(clips[path])
    ]
    return Fold(
        clips=clips,
        reference=reference,
        everyday=everyday,
        background=[directions for clip, _, directions in judged if clip.label == BACKGROUND],
        other=[(clip, directions) for clip, _, directions in judged if clip.label == OTHER],
        true=[
            known
            for known in judged
            if known[0].sound_class in set(CLASSES) - {SoundClass.PRESENCE} and not known[0].unsure
        ],
        things=things,
        culprits=wrong,
    )


def _reference(
    half: Mapping[str, Stretch], clips: Mapping[str, Clip]
) -> tuple[Reference, tuple[NDArray[np.float32], NDArray[np.str_]]]:
    """Return the reference set of half the strangers, its everyday moments, and of which recording each is."""
    parts = [
        (clips[path].origin, one.embeddings[::10])
        for path, one in half.items()
        if clips[path].label in (BACKGROUND, OTHER)
    ]
    everyday = np.concatenate([own for _, own in parts])
    sounds = {
        name: [
            telling(half[clip.path].embeddings, half[clip.path].logits[:, place])
            for clip in one_of_each([clips[path] for path in half], name)
        ]
        for place, name in enumerate(CLASSES)
    }
    origins = np.repeat([origin for origin, _ in parts], [len(own) for _, own in parts])
    reference = assemble(everyday, sounds, everyday[:0])
    return reference, (reference.place(everyday), origins)


def _first(clip: Clip) -> bool:
    return zlib.crc32(clip.origin.encode()) % 2 == 0


def table(figures: Mapping[str, Any]) -> str:
    """Return the tables as they stand in docs/models.md."""
    ways = figures["taught"]
    rows = [
        [*key.rsplit("/", 1), f"{own['recall']:.3f}", f"{own['background']:.2f}", f"{own['other']:.1f}"]
        for key, own in ways.items()
    ]
    header = ["way to learn", "recordings", "recall", "false alarms in an hour of background"]
    used = ways["linear discriminant/3"]
    things, threshold = used["things"], used["threshold"]
    taps = [
        [
            *(level, *(str(own[key]) for key in ("sources", "before", "after"))),
            f"{1 - own['after'] / max(1, own['before']):.0%}",
            f"{max(own['lost'].values(), default=0.0):.1%}",
        ]
        for level, own in figures["false_alarms"].items()
    ]
    tapped = ["sensitivity", "sources", "further repeats that rang", "still ring after two taps"]
    return f"""\
{markdown([*header, "in an hour of other sounds"], rows)}

{things} things. The threshold of a fold is chosen on the others; all folds together choose {threshold:.2f},
satellites use 0.00. Measured with the folds of the network `{figures["sha256"][:16]}`.

{markdown([*tapped, "fewer", "true sounds lost"], taps)}"""


def write_table(figures: Mapping[str, Any], page: Path) -> None:
    """Put the table into its place in a page.

    Raises:
        ModelsError: the page has no such place.
    """
    text = page.read_text(encoding="utf-8")
    before, begin, rest = text.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise ModelsError(f"{page} has no place for the table: put {_BEGIN} and {_END} where it belongs")
    page.write_text(f"{before}{begin}\n\n{table(figures)}\n\n{end}{after}", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
