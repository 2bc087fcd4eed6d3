"""`echonet-satellite devices`: lists the microphones."""

import argparse
import sys

from .audio.microphone import NO_MICROPHONE, MicrophoneInfo, list_microphones
from .errors import EchonetError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take no arguments, but say what the command does."""
    parser.description = "List the microphones: what --device of `run` may name."


def run(args: argparse.Namespace) -> int:  # noqa: ARG001 - every command has this signature
    """Print the microphones and return the exit status."""
    try:
        microphones = list_microphones()
    except EchonetError as err:
        print(f"echonet-satellite: {err}", file=sys.stderr)
        return 1
    if not microphones:
        print(f"echonet-satellite: {NO_MICROPHONE}", file=sys.stderr)
        return 1
    print(table(microphones))
    return 0


def table(microphones: list[MicrophoneInfo]) -> str:
    """Return the microphones as a table; the default is marked by a star."""
    width = max(len("name"), *(len(found.name) for found in microphones))
    lines = [f"  {'index':>5}  {'name':<{width}}  {'channels':>8}  {'rate':>8}"]
    lines += [
        f"{'*' if found.is_default else ' '} {found.index:>5}  {found.name:<{width}}  {found.channels:>8}"
        f"  {found.sample_rate:>5} Hz"
        for found in microphones
    ]
    return "\n".join([*lines, "* the default"])
