"""Figures of the classifier and of its peers: `echonet-models evaluate`.

Thresholds and rules are chosen on the tune split, figures are those of the validation split. Importing this package
loads neither TensorFlow nor a plot; its functions do.
"""

import argparse
from pathlib import Path

from echonet_satellite.protocol import Sensitivity

from ..material import Material

__all__ = ["EVALUATION_FILE", "IMITATION", "LEVELS", "add_arguments", "command", "evaluate_run"]

EVALUATION_FILE = "evaluation.json"
IMITATION = "imitation"
LEVELS = (Sensitivity.LOW, Sensitivity.MEDIUM, Sensitivity.HIGH)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `echonet-models evaluate` knows beside the folders that all commands know."""
    from .entry import add_arguments as add  # noqa: PLC0415 - a cycle otherwise: it takes the names above

    add(parser)


def command(options: argparse.Namespace, material: Material) -> None:
    """Do what `echonet-models evaluate` was asked for."""
    from .entry import evaluate_command  # noqa: PLC0415 - TensorFlow loads for seconds; `--help` does not wait

    evaluate_command(options, material)


def evaluate_run(run: Path, material: Material) -> str:
    """Choose thresholds, measure clips, write `evaluation.json` into the run, and return a table for a person.

    The part of `echonet-models evaluate` that a release needs: no peers, no mixtures, no page.
    """
    from .brief import evaluate_clips  # noqa: PLC0415 - likewise

    return evaluate_clips(run, material)
