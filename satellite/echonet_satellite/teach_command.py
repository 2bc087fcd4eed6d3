"""The commands `teach` and `labels`: a sound from recordings, and the verdicts of the home for the next training."""

import argparse
import asyncio
from pathlib import Path
import sys
from typing import Any, Final

import numpy as np

from .audio import SAMPLE_RATE, AudioError
from .audio.file import read_blocks
from .classifier import load_classifier
from .command_socket import converse
from .errors import ConfigError, EchonetError, NotRunningError
from .frontend import Floats
from .learning.labels import export_labels
from .learning.learner import open_learner
from .learning.sounds import NEEDED
from .options import configuration
from .pair_command import running_state
from .protocol import MAX_STRING_LENGTH, TeachOutcome
from .state import prepare_directory

LEARN_AGAIN: Final = "learn_again"
_LONGEST_S: Final = 60

_TROUBLE: Final = {
    TeachOutcome.NOTHING_HEARD: "nothing is to be heard in it: give a recording that holds the sound",
    TeachOutcome.FULL: "there are as many sounds, or as many recordings of this one, as a satellite can keep: "
    "forget one first in Home Assistant",
}


def add_teach_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `teach`."""
    parser.description = (
        "Teach the satellite a sound of your home (my doorbell, my washing machine) from recordings of it, one "
        "sound in each; three are needed, five are better. The recordings are kept in the state directory."
    )
    parser.add_argument("name", metavar="NAME", help="what the sound is called in Home Assistant")
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")


def teach(args: argparse.Namespace) -> int:
    """Teach a sound, and tell the satellite if it runs; return the exit status: 1 where a recording is no use."""
    name = " ".join(args.name.split())
    if not name or len(name) > MAX_STRING_LENGTH or not name.isprintable():
        raise ConfigError("the name of a sound must be a short printable text")
    config = configuration(args)
    state = running_state(args)
    prepare_directory(state)
    learner = open_learner(state, load_classifier(config.model).card, config.model)
    if learner is None:
        raise EchonetError("nothing can be learned here: the line above says why")
    failed = False
    try:
        for path in args.files:
            try:
                samples = _read(path)
            except AudioError as err:
                # One recording that cannot be read is no reason to leave out those after it.
                failed = True
                print(f"echonet-satellite: {err}", file=sys.stderr)
                continue
            taught = learner.school.teach(name, samples)
            if trouble := _TROUBLE.get(taught.outcome):
                failed = True
                print(f"{path}: {trouble}")
            else:
                print(f"{path}: learned as recording {taught.examples} of {name}")
        found = [item for item in learner.school.sounds if item.name.casefold() == name.casefold()]
    finally:
        learner.close()
    if not any(item.ready for item in found):
        print(f"{name} is recognised once there are {NEEDED} recordings of it.")
    asyncio.run(_tell(state))
    return int(failed)


def _read(path: Path) -> Floats:
    """Return the first minute of a recording: no sound that is taught takes longer."""
    blocks, samples = [], 0
    for block in read_blocks(path):
        blocks.append(block)
        samples += len(block)
        if samples >= _LONGEST_S * SAMPLE_RATE:
            break
    return np.concatenate(blocks, dtype=np.float32)


def add_labels_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `labels`."""
    parser.description = (
        "Write what people said of detections into a folder, for whoever trains the next network: labels.csv, what "
        "the network made of each (embeddings.npz), and its clip where one was kept."
    )
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="a new or empty folder")


def labels(args: argparse.Namespace) -> int:
    """Export the verdicts."""
    found = export_labels(running_state(args), args.folder)
    print(
        f"{args.folder}: {found.labels} verdicts, of {found.embeddings} what they sounded like, {found.clips} clips"
    )
    return 0


async def _tell(state: Path) -> None:
    async def take(_: dict[str, Any]) -> None:
        print("The running satellite knows it now.")

    try:
        await converse(state, LEARN_AGAIN, take)
    except NotRunningError:
        print("The satellite knows it when it starts.")
