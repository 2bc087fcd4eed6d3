"""The command `echonet-models choices`: what it is asked, and where it writes."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..material import Material
    from .run import Comparison

DEFAULT_FOLDER = Path("runs/choices")
QUICK_FOLDER = Path("runs/choices-quick")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the command knows beside the folders that all commands know."""
    parser.add_argument(
        "--quick", action="store_true", help="a tiny network and a few mixtures: does it work?"
    )
    parser.add_argument("--write", action="store_true", help="write the page and its picture")
    parser.add_argument("--again", action="store_true", help="train anew what is done already")
    parser.add_argument(
        "--results", type=Path, help=f"folder of the results, {DEFAULT_FOLDER} or {QUICK_FOLDER}"
    )
    parser.add_argument(
        "--docs",
        type=Path,
        default=Path("docs"),
        help="folder of the page training-choices.md (%(default)s)",
    )


def command(options: argparse.Namespace, material: "Material") -> None:
    """Train, compare, print a table, and write the page where that is asked for."""
    from .page import write_page  # noqa: PLC0415 - TensorFlow loads for seconds; `--help` does not wait
    from .run import compare_choices  # noqa: PLC0415

    folder = options.results or (QUICK_FOLDER if options.quick else DEFAULT_FOLDER)
    comparison = compare_choices(material, folder, quick=options.quick, again=options.again)
    print(table(comparison))
    if options.write:
        print(f"page: {write_page(comparison, options.docs)}")


def table(comparison: "Comparison") -> str:
    """Return the means as text, with their differences to the chosen recipe and the intervals of those, in per cent."""
    from .scoring import Measure  # noqa: PLC0415
    from .tables import NAMES  # noqa: PLC0415

    lines = [f"{'recipe':12}" + "".join(f"{NAMES[measure]:>44}" for measure in Measure)]
    for outcome in comparison.outcomes:
        cells = []
        for measure in Measure:
            mean = outcome.scores[measure].mean
            interval = f"{100 * mean.difference:+.1f} [{100 * mean.low:+.1f} {100 * mean.high:+.1f}]"
            cells.append(f"{100 * mean.value:.1f} {interval if outcome.variant.question else '':>22}")
        lines.append(f"{outcome.variant.name:12}" + "".join(f"{cell:>44}" for cell in cells))
    return "\n".join(lines)
