"""The command `echonet-models compare`: what it is asked, in which order it works, where it writes."""

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .windows import Material

PER_CLASS = 48
POOLED_FILE = "pooled.npz"
# Kept in the repository: after a release only the released network's own rows are measured anew.
RESULTS, PARTS = Path("models/compared"), Path("runs/compare")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the command knows beside the folders that all commands know."""
    parser.add_argument("--only", metavar="NAME", help="this approach alone")
    parser.add_argument("--again", action="store_true", help="train anew what is done already")
    parser.add_argument("--seed", type=int, default=1, help="everything random comes from it (%(default)s)")
    parser.add_argument(
        "--pooled",
        type=Path,
        metavar="FILE",
        help="what the networks of EchoNet's own folds said of the clips left out (default: what `evaluate` left "
        "in the folder of the training); where it is missing, so are EchoNet's rows",
    )
    parser.add_argument(
        "--docs", type=Path, default=Path("docs"), help="folder of the page compare.md (%(default)s)"
    )


def command(options: argparse.Namespace) -> None:
    """Train, score, print the main figures, and write the page."""
    if options.teachers is not None:
        # Approaches that start from a teacher's weights look for them where the environment says.
        os.environ["ECHONET_TEACHERS"] = str(options.teachers)
    # TensorFlow loads for seconds; `--help` does not wait.
    from echonet_satellite.card import MODEL_FILE  # noqa: PLC0415
    from echonet_satellite.classifier import PACKAGED_MODEL  # noqa: PLC0415

    from . import page, references, registry, run  # noqa: PLC0415
    from .folds import leave_sources_out  # noqa: PLC0415

    material = open_material(options.data, options.cache)
    every, absent = registry.EVERY, ["echonet", "echonet-tuned"]
    pooled = options.pooled or options.run / POOLED_FILE
    if pooled.is_file():
        every = (*references.released(pooled, PACKAGED_MODEL / MODEL_FILE), *every)
        absent = []
    chosen = registry.choose(every, material, options.only)
    folds = leave_sources_out(material, PER_CLASS, options.seed)
    for result in run.compare(chosen, material, folds, RESULTS, PARTS, again=options.again):
        f1, precision = result["figures"]["macro"]["f1"], result["figures"]["mean_average_precision"]
        print(f"{result['name']:28} macro F1 {f1['value']:.2f}, mAP {precision['value']:.2f}")
    results, missing = run.read_results(every, material, folds, RESULTS)
    absent += [factory(material).name for factory in missing]
    print(f"page: {page.write_page(results, folds, material.clips, PER_CLASS, options.docs, absent)}")


def open_material(data: Path | None, cache: Path) -> "Material":
    """Return the clips, opened, with what the teachers hear in them."""
    from ..data.manifest import UNLABELLED, data_directory, read_manifest  # noqa: PLC0415
    from ..data.recordings import open_recordings  # noqa: PLC0415
    from ..data.teachers import ask_teachers, read_class_map, teachers_directory  # noqa: PLC0415
    from .windows import Material  # noqa: PLC0415

    directory, teachers = data_directory(data), teachers_directory()
    clips = [clip for clip in read_manifest(directory) if clip.label != UNLABELLED]
    recordings = open_recordings(directory, clips, cache)
    return Material(
        clips, recordings, ask_teachers(teachers, recordings, clips, cache), read_class_map(teachers)
    )
