"""The commands `teach` and `labels`: a sound from recordings, and the verdicts of the home for the next training."""

import argparse
import asyncio
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
import sys
from typing import Any, Final

import numpy as np
import soundfile

from .audio import SAMPLE_RATE, AudioError
from .audio.file import read_blocks
from .classifier import load_classifier
from .command_socket import converse
from .errors import ConfigError, EchonetError, NotRunningError
from .frontend import Floats
from .learning.labels import export_labels
from .learning.learner import open_learner
from .learning.school import School
from .learning.sounds import NEEDED
from .options import configuration
from .pair_command import running_state
from .protocol import MAX_STRING_LENGTH, TaughtSound, TeachHint, TeachOutcome
from .state import prepare_directory, write_private

LEARN_AGAIN: Final = "learn_again"
_LONGEST_S: Final = 60

_TROUBLE: Final = {
    TeachOutcome.NOTHING_HEARD: "nothing is to be heard in it: give a recording that holds the sound",
    TeachOutcome.FULL: "there are as many sounds, or as many recordings of this one, as a satellite can keep: "
    "forget one first in Home Assistant",
}

_HINTS: Final = {
    TeachHint.UNLIKE: "it is unlike the recordings before it; if it is another sound: teach {name} --forget",
    TeachHint.SHORT: "it is very short, so other clicks and knocks may be taken for it",
    TeachHint.KNOWN: "the satellite tells of this sound already, as {told_as}",
}


def add_teach_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `teach`."""
    parser.description = (
        "Teach the satellite a sound of your home (my doorbell, my washing machine) from recordings of it, one "
        "sound in each; three are needed, five are better. The recordings are kept in the state directory. Without "
        "a name it lists what it was taught."
    )
    parser.add_argument("name", nargs="?", metavar="NAME", help="what the sound is called in Home Assistant")
    parser.add_argument("files", nargs="*", type=Path, metavar="FILE", help="recordings, one sound in each")
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument("--forget", action="store_true", help="forget the sound and its recordings")
    instead.add_argument(
        "--export", type=Path, metavar="FOLDER", help="write its recordings into a folder, as WAV"
    )


def teach(args: argparse.Namespace) -> int:
    """Teach, forget, export or list sounds, and tell the satellite if it runs; return the exit status."""
    name = " ".join((args.name or "").split())
    if args.name is not None and (not name or len(name) > MAX_STRING_LENGTH or not name.isprintable()):
        raise ConfigError("the name of a sound must be a short printable text")
    instead = args.forget or args.export is not None
    if instead and (not name or args.files):
        raise ConfigError("--forget and --export take the name of a sound and nothing else")
    if name and not args.files and not instead:
        raise ConfigError("give recordings of the sound, one in each file: ring1.wav ring2.wav ring3.wav")
    config = configuration(args)
    state = running_state(args)
    prepare_directory(state)
    learner = open_learner(state, load_classifier(config.model).card, config.model)
    if learner is None:
        raise EchonetError("nothing can be learned here: the line above says why")
    try:
        learner.school.wait()
        if not name:
            return _list(learner.school)
        if args.export is not None:
            return _export(learner.school, name, args.export)
        if args.forget:
            learner.school.forget((_find(learner.school, name).id,))
            print(f"{name} is forgotten, and its recordings are deleted.")
            failed = False
        else:
            failed = _learn(learner.school, name, args.files)
    finally:
        learner.close()
    asyncio.run(_tell(state))
    return int(failed)


def _learn(school: School, name: str, files: Sequence[Path]) -> bool:
    """Learn from recordings, and tell whether one of them is no use."""
    failed = False
    for path in files:
        try:
            samples = _read(path)
        except AudioError as err:
            # One recording that cannot be read is no reason to leave out those after it.
            failed = True
            print(f"echonet-satellite: {err}", file=sys.stderr)
            continue
        taught = school.teach(name, samples)
        if trouble := _TROUBLE.get(taught.outcome):
            failed = True
            print(f"{path}: {trouble}")
            continue
        print(f"{path}: learned as recording {taught.examples} of {name}")
        if taught.hint is not None:
            told_as = str(taught.sound_class).replace("_", " ")
            print(f"  note: {_HINTS[taught.hint].format(told_as=told_as, name=name)}")
    if not any(item.ready for item in school.sounds if item.name.casefold() == name.casefold()):
        print(f"{name} is recognised once there are {NEEDED} recordings of it.")
    return failed


def _list(school: School) -> int:
    for sound in school.sounds:
        missing = f"{NEEDED - sound.examples} more needed"
        print(f"{sound.name}: recordings: {sound.examples}, {'recognised' if sound.ready else missing}")
    if not school.sounds:
        print("Nothing was taught yet: echonet-satellite teach NAME FILE...")
    return 0


def _find(school: School, name: str) -> TaughtSound:
    found = [sound for sound in school.sounds if sound.name.casefold() == name.casefold()]
    if not found:
        known = ", ".join(sound.name for sound in school.sounds) or "nothing"
        raise EchonetError(f"{name} was not taught; what was: {known}")
    return found[0]


def _export(school: School, name: str, folder: Path) -> int:
    recordings = school.recordings(_find(school, name).id)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise EchonetError(f"{folder} is not empty: name a new folder")
        for number, samples in enumerate(recordings, 1):
            file = BytesIO()
            soundfile.write(file, samples, SAMPLE_RATE, format="WAV", subtype="PCM_16")
            write_private(folder / f"{number}.wav", file.getvalue())
    except OSError as err:
        raise EchonetError(f"cannot write {folder}: {err.strerror}") from None
    print(f"{folder}: {len(recordings)} recordings of {name}")
    return 0


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
