"""The command line: `echonet-satellite run | pair | unpair | devices | classify`."""

import argparse
import asyncio
from collections.abc import Sequence
import logging
import os
from pathlib import Path
import sys

from . import __version__
from .errors import ConfigError, EchonetError

_COMMANDS = {
    "run": "hear, recognise, and tell Home Assistant",
    "pair": "show a code with which Home Assistant pairs with the running satellite",
    "unpair": "forget every Home Assistant that was paired",
    "devices": "list the microphones",
    "classify": "recognise the sounds in recordings",
}

_EXAMPLES = """\
examples:
  echonet-satellite devices                   which microphones there are
  echonet-satellite run --device 1            hear with one of them
  echonet-satellite run --source demo         hear the built-in sounds, without a microphone
  echonet-satellite pair                      (in a second terminal) show a pairing code
  echonet-satellite classify bark.wav         recognise the sounds in a recording
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status: 0, 1 for trouble, 2 for wrong usage, 130 for Ctrl-C."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    verbose = False
    try:
        args = _parser(arguments).parse_args(arguments)
        verbose = getattr(args, "verbose", False)
        logging.basicConfig(
            level=logging.DEBUG if verbose else logging.WARNING,
            format="%(asctime)s %(levelname)s %(name)s: %(message)s"
            if verbose
            else "%(levelname)s: %(message)s",
            stream=sys.stderr,
        )
        if not verbose:
            # Each network that comes and goes makes it write a traceback; `discovery.py` looks after that.
            logging.getLogger("zeroconf").setLevel(logging.CRITICAL)
        return _run(args)
    except EchonetError as err:
        print(f"echonet-satellite: error: {err}", file=sys.stderr)
        return 2 if isinstance(err, ConfigError) else 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever reads our output has enough of it; Python would complain once more while closing it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as err:
        if verbose:
            logging.getLogger(__name__).exception("Unexpected error")
        text = " ".join(str(err).split()) or "no more is known"
        print(
            f"echonet-satellite: error: unexpected {type(err).__name__}: {text}; please report it with what "
            "--verbose says",
            file=sys.stderr,
        )
        return 1


def _run(args: argparse.Namespace) -> int:
    match args.command:
        case "run":
            from . import run  # noqa: PLC0415 - each command loads only what it needs

            return run.run(args)
        case "pair" | "unpair":
            from . import pair_command  # noqa: PLC0415

            return asyncio.run(
                pair_command.pair(args) if args.command == "pair" else pair_command.unpair(args)
            )
        case "devices":
            from . import devices  # noqa: PLC0415

            return devices.run(args)
        case _:
            from . import classify  # noqa: PLC0415

            return classify.run(args)


def _parser(arguments: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="echonet-satellite",
        description="Hears gunshots, breaking glass, alarms and more on this device, and tells Home Assistant. "
        "No sound leaves the device.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    wanted = next((item for item in arguments if not item.startswith("-")), None)
    for name, text in _COMMANDS.items():
        command = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
        command.add_argument("--verbose", action="store_true", help="say more on standard error")
        if name == wanted:
            _add_arguments(name, command)
    return parser


def _add_arguments(name: str, parser: argparse.ArgumentParser) -> None:
    if name in {"run", "pair", "unpair"}:
        parser.add_argument(
            "--config", type=Path, metavar="FILE", help="configuration file (docs/satellite.md)"
        )
        parser.add_argument(
            "--state",
            type=Path,
            metavar="DIR",
            help="where keys, settings and the journal lie (default: $STATE_DIRECTORY, else "
            "~/.local/share/echonet-satellite)",
        )
    if name == "run":
        from . import options  # noqa: PLC0415

        options.add_arguments(parser)
    elif name == "devices":
        from . import devices  # noqa: PLC0415

        devices.add_arguments(parser)
    elif name == "classify":
        from . import classify  # noqa: PLC0415

        classify.add_arguments(parser)
