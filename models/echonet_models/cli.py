"""The command `echonet-models`: train, evaluate, export, compare."""

import argparse
from collections.abc import Callable, Sequence
import os
from pathlib import Path
import sys
from typing import Any

from echonet_satellite.protocol import EchonetError

from .data.library import DEFAULT_CACHE, Library, Places, open_library
from .data.manifest import Licences
from .data.teachers import teachers_directory

# TensorFlow's own notes would hide the progress line, and NumPy's threads get in the way of its; set before either.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

DEFAULT_RUN = Path("runs/echonet")
DEFAULT_RELEASE = Path("models/released/echonet")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        options.command(options)
    except EchonetError as error:
        print(f"echonet-models: error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nechonet-models: stopped; the same command goes on where it was", file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="echonet-models", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(command: Callable[[argparse.Namespace], None], about: str, page: str = "") -> Any:
        own = commands.add_parser(command.__name__[1:], help=about)
        own.set_defaults(command=command)
        add_places(own)
        if page:
            own.add_argument(
                "--docs", type=Path, default=Path("docs"), help=f"folder of {page} (%(default)s)"
            )
        return own.add_argument

    option = add(
        _train,
        "fine-tune mn04: without each fold's sources, then with everything; goes on where it was stopped",
    )
    option("--steps", type=_positive, help="of each fine-tuning (default: the usual schedule)")
    option(
        "--licences",
        type=Licences,
        choices=list(Licences),
        default=Licences.ALL,
        help="permissive: learn only from open and share-alike recordings",
    )
    add(_evaluate, "measure the folds' networks on sources that they never heard", "evaluation.md")
    option = add(_export, "write the networks, model.json, MODEL_CARD.md and reference.npz")
    option("--to", type=Path, default=DEFAULT_RELEASE, help="folder to write to (%(default)s)")
    option("--version", required=True, help="version of the model")
    option = add(_compare, "train and score every approach of the literature on the same folds", "compare.md")
    option("--only", metavar="NAME", help="this approach alone")
    option("--again", action="store_true", help="train anew what is done already")
    option("--seed", type=int, default=1, help="everything random comes from it (%(default)s)")
    return parser


def add_places(parser: argparse.ArgumentParser) -> None:
    """Add the options that say where everything lies; what measures a run elsewhere has them as well."""
    option = parser.add_argument
    option("--run", type=Path, default=DEFAULT_RUN, help="folder of the training (%(default)s)")
    option("--data", type=Path, help="folder of recordings (else ECHONET_DATA)")
    option("--teachers", type=Path, help="folder of teachers (else ECHONET_TEACHERS)")
    option("--cache", type=Path, default=DEFAULT_CACHE, help="folder for decoded recordings (%(default)s)")


def library_of(options: argparse.Namespace) -> Library:
    """Return the library that these options name."""
    return open_library(Places(options.data, options.teachers, options.cache))


def _train(options: argparse.Namespace) -> None:
    from .training.run import train_run  # noqa: PLC0415 - TensorFlow loads for seconds; `--help` does not wait

    places = Places(options.data, options.teachers, options.cache, options.licences)
    train_run(options.run, places, steps=options.steps)
    print(f"trained: {options.run}; now: echonet-models evaluate --run {options.run}")


def _evaluate(options: argparse.Namespace) -> None:
    from .evaluation.page import write_page  # noqa: PLC0415
    from .evaluation.run import evaluate_run  # noqa: PLC0415
    from .evaluation.tables import headline  # noqa: PLC0415

    figures = evaluate_run(options.run, library_of(options), teachers_directory(options.teachers))
    print(headline(figures))
    print(
        f"page: {write_page(figures, options.docs)}; now: echonet-models export --run {options.run} --version N"
    )


def _export(options: argparse.Namespace) -> None:
    from .evaluation.release import release_reference, release_run  # noqa: PLC0415

    print(release_run(options.run, options.to, version=options.version))
    print(release_reference(options.to, library_of(options)))


def _compare(options: argparse.Namespace) -> None:
    if options.teachers is not None:
        # Approaches that start from a teacher's weights look for them where the environment says.
        os.environ["ECHONET_TEACHERS"] = str(options.teachers)
    from .compare.comparison import compare_all  # noqa: PLC0415

    chosen = {"only": options.only, "again": options.again, "seed": options.seed}
    print(f"page: {compare_all(library_of(options), options.run, options.docs, **chosen)}")


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return value
