"""The command `echonet-models`: train, evaluate, export, compare."""

import argparse
from collections.abc import Sequence
from dataclasses import replace
import os
from pathlib import Path
import sys

from echonet_satellite.protocol import EchonetError

from .compare import entry as compare
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

    train = commands.add_parser(
        "train",
        help="fine-tune mn04: without each fold's sources, then with everything; goes on where it was stopped",
    )
    train.add_argument("--steps", type=_positive, help="of each fine-tuning (default: the usual schedule)")
    train.add_argument(
        "--adaptation-steps", type=_positive, help="of the adaptation to short windows before it"
    )
    train.add_argument(
        "--licences",
        type=Licences,
        choices=list(Licences),
        default=Licences.ALL,
        help="permissive: learn only from open and share-alike recordings",
    )
    train.set_defaults(command=_train)

    evaluate = commands.add_parser(
        "evaluate", help="measure the folds' networks on sources that they never heard, and write the page"
    )
    evaluate.add_argument("--docs", type=Path, default=Path("docs"), help="folder of the page (%(default)s)")
    evaluate.set_defaults(command=_evaluate)

    export = commands.add_parser(
        "export", help="write model.tflite, model.json, MODEL_CARD.md and reference.npz"
    )
    export.add_argument("--to", type=Path, default=DEFAULT_RELEASE, help="folder to write to (%(default)s)")
    export.add_argument("--version", required=True, help="version of the model")
    export.set_defaults(command=_export)

    fewshot = commands.add_parser(
        "fewshot", help="measure what homes teach: sounds of their own, and false alarms; write the table"
    )
    fewshot.add_argument("--docs", type=Path, default=Path("docs"), help="folder of the page (%(default)s)")
    fewshot.set_defaults(command=_fewshot)

    comparison = commands.add_parser(
        "compare",
        help="train and score every approach of the literature on the same folds, and write the page",
    )
    compare.add_arguments(comparison)
    comparison.set_defaults(command=_compare)

    for command in (train, evaluate, export, fewshot, comparison):
        command.add_argument(
            "--run", type=Path, default=DEFAULT_RUN, help="folder of the training (%(default)s)"
        )
        command.add_argument("--data", type=Path, help="folder of recordings (else ECHONET_DATA)")
        command.add_argument("--teachers", type=Path, help="folder of teachers (else ECHONET_TEACHERS)")
        command.add_argument(
            "--cache", type=Path, default=DEFAULT_CACHE, help="folder for decoded recordings (%(default)s)"
        )
    return parser


def _places(options: argparse.Namespace) -> Places:
    licences = getattr(options, "licences", Licences.ALL)
    return Places(options.data, options.teachers, options.cache, licences)


def _library(options: argparse.Namespace) -> Library:
    return open_library(_places(options))


def _train(options: argparse.Namespace) -> None:
    from .training.run import Plan, train_run  # noqa: PLC0415 - TensorFlow loads for seconds; `--help` does not wait

    plan = Plan()
    if options.steps:
        plan = replace(plan, tuning=replace(plan.tuning, steps=options.steps))
    if options.adaptation_steps:
        plan = replace(plan, adaptation=replace(plan.adaptation, steps=options.adaptation_steps))
    train_run(options.run, _places(options), plan)
    print(f"trained: {options.run}; now: echonet-models evaluate --run {options.run}")


def _evaluate(options: argparse.Namespace) -> None:
    from .evaluation.page import write_page  # noqa: PLC0415
    from .evaluation.run import evaluate_run  # noqa: PLC0415
    from .evaluation.tables import headline  # noqa: PLC0415

    figures = evaluate_run(options.run, _library(options), teachers_directory(options.teachers))
    print(headline(figures))
    print(
        f"page: {write_page(figures, options.docs)}; now: echonet-models export --run {options.run} --version N"
    )


def _export(options: argparse.Namespace) -> None:
    from .evaluation.release import release_reference, release_run  # noqa: PLC0415

    print(release_run(options.run, options.to, version=options.version))
    print(release_reference(options.to, _library(options)))


def _fewshot(options: argparse.Namespace) -> None:
    from .evaluation.fewshot import measure, write_table  # noqa: PLC0415

    figures = measure(options.run, _library(options), teachers_directory(options.teachers))
    print(f"page: {write_table(figures, options.docs)}")


def _compare(options: argparse.Namespace) -> None:
    compare.command(options)


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return value
