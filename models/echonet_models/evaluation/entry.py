"""The command `echonet-models evaluate`: what it is asked, in which order it works, where it writes."""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ModelsError
from . import EVALUATION_FILE

if TYPE_CHECKING:
    from ..material import Material

RELEASE_FILE = "evaluation-release.json"
QUICK_FILE = "evaluation-quick.json"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the command knows beside the folders that all commands know."""
    parser.add_argument(
        "--release",
        type=Path,
        metavar="DIR",
        help="measure the released model of this folder, through the satellite's own classifier, as it ships",
    )
    parser.add_argument(
        "--sources-run",
        type=Path,
        metavar="DIR",
        help="a training that left whole sources out (train --protocol source), to be measured on those",
    )
    parser.add_argument("--quick", action="store_true", help="a look at a few recordings, in seconds")
    parser.add_argument(
        "--write",
        action="store_true",
        help="write the page and its pictures, and with --release the figures of its card",
    )
    parser.add_argument(
        "--page", action="store_true", help="write the page from the last figures, without measuring"
    )
    parser.add_argument(
        "--docs", type=Path, default=Path("docs"), help="folder of the page evaluation.md (%(default)s)"
    )


def evaluate_command(options: argparse.Namespace, material: "Material") -> None:
    """Measure, write the figures, and the page where that is asked for."""
    from ..release import measured_as_released  # noqa: PLC0415 - TensorFlow loads for seconds; `--help` does not wait
    from .brief import table  # noqa: PLC0415
    from .page import write_page  # noqa: PLC0415

    path = figures_path(options)
    if options.page:
        if not path.is_file():
            raise ModelsError(f"there is no {path} yet: run the same command with --write instead of --page")
        figures = json.loads(path.read_text(encoding="utf-8"))
    else:
        figures = _measured(options, material, path)
    print(table(figures))
    print(f"figures: {path}")
    if options.write or options.page:
        print(f"page: {write_page(figures, options.docs)}")
        # A quick look is for whoever works on the evaluation.
        if options.release and not options.quick:
            print(f"card: {measured_as_released(options.release, path)}")


def figures_path(options: argparse.Namespace) -> Path:
    """Return where the figures go: into the run, those of a release or of a quick look beside those of the run."""
    name = QUICK_FILE if options.quick else RELEASE_FILE if options.release else EVALUATION_FILE
    run: Path = options.run
    return run / name


def _measured(options: argparse.Namespace, material: "Material", path: Path) -> dict[str, Any]:
    from ..teachers import teachers_directory  # noqa: PLC0415
    from ..training import BEST_FILE  # noqa: PLC0415
    from .audio import FULL, QUICK, gather  # noqa: PLC0415
    from .brief import write  # noqa: PLC0415
    from .listeners import Listener  # noqa: PLC0415
    from .peers import Mn04Listener, YamnetListener  # noqa: PLC0415
    from .run import compare_with_training, evaluate  # noqa: PLC0415
    from .sources import measure_sources  # noqa: PLC0415
    from .subject import released, trained  # noqa: PLC0415

    plan = QUICK if options.quick else FULL
    audio = gather(material, plan)
    subject = released(options.release) if options.release else trained(options.run, material)
    folder = options.run / "evaluation"
    teachers = teachers_directory(options.teachers)
    peers: list[Listener] = [YamnetListener(teachers), Mn04Listener(teachers)]
    figures = evaluate(subject, peers, audio, folder, options.cache)
    figures["quick"] = bool(options.quick)
    if options.release and (options.run / BEST_FILE).is_file():
        figures["agreement"] = compare_with_training(subject, options.run, audio, folder)
    if options.sources_run:
        figures["sources"] = measure_sources(options.sources_run, material, plan, subject.model["pools"])
    write(path, figures)
    return figures
