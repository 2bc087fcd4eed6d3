"""The command `echonet-models`: train, blend, clean, evaluate, compare, choices, export."""

import argparse
from collections.abc import Sequence
import os
from pathlib import Path
import sys

from echonet_satellite.protocol import EchonetError

from . import cleaning_report, evaluation
from .choices import entry as choices
from .compare import entry as compare
from .datasets import Licences, Protocol
from .material import DEFAULT_CACHE, Material, open_material
from .schedule import Schedule

# TensorFlow's own notes would hide the progress line; set before anything imports it.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

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
        "train", help="train a network from random weights; goes on where it was stopped"
    )
    usual = Schedule()
    train.add_argument(
        "--pools",
        type=_positive,
        nargs="+",
        default=usual.rounds,
        metavar="N",
        help="how many pools of mixtures to learn from; several numbers are rounds, each with a fresh learning rate "
        f"({' '.join(map(str, usual.rounds))})",
    )
    train.add_argument(
        "--pool-size",
        type=_positive,
        default=usual.pool_size,
        help="mixtures of 10 s in a pool (%(default)s)",
    )
    train.add_argument(
        "--seed", type=int, default=usual.seed, help="everything random comes from it (%(default)s)"
    )
    train.add_argument(
        "--licences",
        type=Licences,
        choices=list(Licences),
        default=Licences.ALL,
        help="permissive: learn only from open and share-alike recordings",
    )
    train.add_argument(
        "--protocol",
        type=Protocol,
        choices=list(Protocol),
        default=Protocol.RECORDING,
        help="source: leave whole sources out, to see how other microphones and rooms do (%(default)s)",
    )
    train.add_argument(
        "--from",
        dest="beginning",
        type=Path,
        metavar="FILE",
        help="go on from the weights of another training, such as those beside a release, instead of random ones",
    )
    train.set_defaults(command=_train)

    blending = commands.add_parser(
        "blend", help="take the mean of a training and of what it went on from, weight by weight"
    )
    blending.add_argument(
        "--with",
        dest="beginning",
        type=Path,
        required=True,
        metavar="FILE",
        help="the weights that the training went on from",
    )
    blending.add_argument("--to", type=Path, required=True, help="folder of what comes of it")
    blending.add_argument(
        "--share",
        type=_share,
        help="how much of the training is in it, 0 to 1 (default: what tells the clips of the tune split best)",
    )
    blending.set_defaults(command=_blend)

    cleaning_report.add_parser(commands)

    evaluate = commands.add_parser(
        "evaluate",
        help="choose thresholds on the tune split, measure on the validation split, beside the peers",
    )
    evaluation.add_arguments(evaluate)
    evaluate.set_defaults(command=_evaluate)

    comparison = commands.add_parser(
        "compare",
        help="train and score every approach of the literature on the same windows, and write the page",
    )
    compare.add_arguments(comparison)
    comparison.set_defaults(command=_compare)

    chosen = commands.add_parser(
        "choices",
        help="compare how rare classes are sampled and weighed in training, with small networks",
    )
    choices.add_arguments(chosen)
    chosen.set_defaults(command=_choices)

    export = commands.add_parser("export", help="write model.tflite, model.json and MODEL_CARD.md")
    export.add_argument("--to", type=Path, default=DEFAULT_RELEASE, help="folder to write to (%(default)s)")
    export.add_argument("--version", default="0.7.0", help="version of the model (%(default)s)")
    export.add_argument(
        "--precision",
        choices=["int8", "float16"],
        default="int8",
        help="how weights are stored (%(default)s)",
    )
    export.set_defaults(command=_export)

    for command in (train, blending, evaluate, export):
        command.add_argument(
            "--run", type=Path, default=DEFAULT_RUN, help="folder of the training (%(default)s)"
        )
    for command in (train, blending, evaluate, comparison, chosen, export):
        command.add_argument("--data", type=Path, help="folder of recordings (else ECHONET_DATA)")
        command.add_argument("--teachers", type=Path, help="folder of teachers (else ECHONET_TEACHERS)")
        command.add_argument(
            "--cache", type=Path, default=DEFAULT_CACHE, help="folder for decoded recordings (%(default)s)"
        )
    return parser


def _material(options: argparse.Namespace) -> Material:
    licences = getattr(options, "licences", Licences.ALL)
    return open_material(
        data=options.data,
        teachers=options.teachers,
        cache=options.cache,
        licences=licences,
        protocol=getattr(options, "protocol", Protocol.RECORDING),
    )


def _train(options: argparse.Namespace) -> None:
    from .training import train_run  # noqa: PLC0415 - TensorFlow loads for seconds; `--help` does not wait

    schedule = Schedule(rounds=tuple(options.pools), pool_size=options.pool_size, seed=options.seed)
    train_run(options.run, _material(options), schedule, beginning=options.beginning)
    print(f"trained: {options.run}; now: echonet-models evaluate --run {options.run}")


def _blend(options: argparse.Namespace) -> None:
    from .blending import SHARES, blend  # noqa: PLC0415

    shares = SHARES if options.share is None else (options.share,)
    share = blend(options.run, options.beginning, options.to, _material(options), shares=shares)
    print(
        f"blended, {share:g} of the training: {options.to}; now: echonet-models evaluate --run {options.to}"
    )


def _evaluate(options: argparse.Namespace) -> None:
    evaluation.command(options, _material(options))


def _compare(options: argparse.Namespace) -> None:
    compare.command(options, _material(options))


def _choices(options: argparse.Namespace) -> None:
    choices.command(options, _material(options))


def _export(options: argparse.Namespace) -> None:
    from .release import release_run  # noqa: PLC0415

    print(
        release_run(
            options.run,
            options.to,
            version=options.version,
            material=_material(options),
            precision=options.precision,
        )
    )


def _share(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError("must be between 0 and 1")
    return value


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return value
