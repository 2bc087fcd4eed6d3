"""The command `echonet-models compare`: what it is asked, in which order it works, where it writes."""

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ModelsError
from ..evaluation.tables import NOTHING

if TYPE_CHECKING:
    from ..material import Material

# Kept in the repository: after a release only the released network's own rows are measured anew.
DEFAULT_FOLDER = Path("models/compared")
QUICK_FOLDER = Path("runs/compare-quick")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the command knows beside the folders that all commands know."""
    parser.add_argument("--only", metavar="NAME", help="this approach alone")
    parser.add_argument(
        "--quick", action="store_true", help="a few windows of each class: does every approach learn? No page"
    )
    parser.add_argument("--again", action="store_true", help="train anew what is done already")
    parser.add_argument("--seed", type=int, default=1, help="everything random comes from it (%(default)s)")
    parser.add_argument(
        "--results", type=Path, help=f"folder of the results, {DEFAULT_FOLDER} or {QUICK_FOLDER}"
    )
    parser.add_argument(
        "--docs", type=Path, default=Path("docs"), help="folder of the page compare.md (%(default)s)"
    )


def command(options: argparse.Namespace, material: "Material") -> None:
    """Train, score, print a table, and write the page.

    Raises:
        ModelsError: a quick look finds an approach that learns nothing.
    """
    if options.teachers is not None:
        # Approaches that start from a teacher's weights look for them where the environment says.
        os.environ["ECHONET_TEACHERS"] = str(options.teachers)
    from .page import write_page  # noqa: PLC0415 - TensorFlow loads for seconds; `--help` does not wait
    from .run import compare, read_results, unlearned  # noqa: PLC0415

    folder = options.results or (QUICK_FOLDER if options.quick else DEFAULT_FOLDER)
    results = compare(
        material, folder, only=options.only, quick=options.quick, again=options.again, seed=options.seed
    )
    print(table(results))
    if options.quick:
        if lines := unlearned(results):
            raise ModelsError(f"no better than chance: {'; '.join(lines)}")
        return
    everything, missing = read_results(material, folder, like=results[0]["key"])
    print(f"page: {write_page(everything, results[0]['amounts'], options.docs, missing)}")


def table(results: list[dict[str, Any]]) -> str:
    """Return the main figures as text."""
    head = f"{'approach':26}{'macro F1':>18}{'recall':>8}{'precision':>11}"
    lines = [f"{head}{'size, kB':>10}{'of YAMNet':>11}{'trained, s':>12}"]
    for result in results:
        macro = result["figures"]["macro"]
        cost = result["cost_of_yamnet"]
        interval = f"{macro['f1']['value']:.2f} [{macro['f1']['low']:.2f}-{macro['f1']['high']:.2f}]"
        lines.append(
            f"{result['name']:26}{interval:>18}{macro['recall']['value']:8.2f}{macro['precision']['value']:11.2f}"
            f"{result['size_bytes'] / 1000:10.0f}{NOTHING if cost is None else round(cost['value'], 2):>11}"
            f"{result['trained_s']:12.1f}"
        )
    return "\n".join(lines)
