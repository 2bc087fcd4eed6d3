"""The command line: `echonet-satellite run | pair | unpair | selftest | config | doctor | devices | classify | ...`."""

import argparse
import asyncio
from collections.abc import Sequence
import io
import logging
import os
import sys

from . import __version__
from .errors import ConfigError, EchonetError
from .output import LineHandler, LineWriter, OneLineFormatter

_COMMANDS = {
    "run": "hear, recognise, and tell Home Assistant",
    "pair": "show a code with which Home Assistant pairs with the running satellite",
    "unpair": "forget every Home Assistant that was paired",
    "selftest": "follow a known sound through the running satellite, up to Home Assistant",
    "config": "show the configuration that holds, and where each value is from",
    "doctor": "check sound, network, clock, disk and pairing, and say what to do",
    "calibrate": "adjust the sound sensor, and measure the noise floor",
    "devices": "list the microphones",
    "classify": "recognise the sounds in recordings",
    "record": "record what the satellite would hear, as a file",
    "teach": "teach the satellite a sound of your home from recordings of it",
    "labels": "export what people said of alerts, for the next training",
}

_CONFIGURED = frozenset(
    {"run", "pair", "unpair", "selftest", "config", "doctor", "calibrate", "record", "teach", "labels"}
)

_EXAMPLES = """\
examples:
  echonet-satellite devices                   which microphones there are
  echonet-satellite run --device 1            hear with one of them
  echonet-satellite run --source demo         hear the built-in sounds, without a microphone
  echonet-satellite pair                      (in a second terminal) show a pairing code
  echonet-satellite doctor                    is everything as it should be?
  echonet-satellite classify bark.wav         recognise the sounds in a recording
  echonet-satellite record bell.flac --trim   make a recording
  echonet-satellite teach "My doorbell" ring1.wav ring2.wav ring3.wav
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status: 0, 1 for trouble, 2 for wrong usage, 130 for Ctrl-C."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    if isinstance(sys.stdout, io.TextIOWrapper):
        # The name of a file may be any bytes: it is printed as well as it can be.
        sys.stdout.reconfigure(errors="backslashreplace")
    # Neither logs nor last words may wait for whoever reads standard error.
    errors = LineWriter(2)
    try:
        return _guarded(arguments, errors)
    finally:
        errors.close()


def _guarded(arguments: Sequence[str], errors: LineWriter) -> int:
    verbose = False
    try:
        args = _parser(arguments).parse_args(arguments)
        verbose = getattr(args, "verbose", False)
        _log_to(errors, verbose=verbose)
        return _run(args)
    except EchonetError as err:
        _complain(str(err), arguments, errors)
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
        _complain(
            f"unexpected {type(err).__name__}: {text}; please report it with what --verbose says",
            arguments,
            errors,
        )
        return 1


def _complain(text: str, arguments: Sequence[str], errors: LineWriter) -> None:
    """Write why the command ends, in JSON for whoever reads the rest in JSON."""
    from . import logs  # noqa: PLC0415

    errors.write(logs.last_words(text, arguments))


def _log_to(errors: LineWriter, *, verbose: bool) -> None:
    handler = LineHandler(errors)
    handler.setFormatter(
        OneLineFormatter(
            "%(asctime)s %(levelname)s %(name)s: %(message)s" if verbose else "%(levelname)s: %(message)s"
        )
    )
    logging.basicConfig(level=logging.DEBUG if verbose else logging.WARNING, handlers=[handler], force=True)
    if not verbose:
        # Each network that comes and goes makes it write a traceback; `discovery.py` looks after that.
        logging.getLogger("zeroconf").setLevel(logging.CRITICAL)


def _run(args: argparse.Namespace) -> int:  # noqa: C901 - one case for each command
    if args.command in _CONFIGURED:
        from . import logs, options  # noqa: PLC0415 - each command loads only what it needs

        logs.adopt(options.configuration(args))
    match args.command:
        case "run":
            from . import run  # noqa: PLC0415

            return run.run(args)
        case "pair" | "unpair":
            from . import pair_command  # noqa: PLC0415

            return asyncio.run(
                pair_command.pair(args) if args.command == "pair" else pair_command.unpair(args)
            )
        case "selftest":
            from . import self_test_command  # noqa: PLC0415

            return asyncio.run(self_test_command.self_test(args))
        case "config":
            from . import config_command  # noqa: PLC0415

            return config_command.run(args)
        case "calibrate":
            from . import calibrate_command  # noqa: PLC0415

            return calibrate_command.run(args)
        case "record":
            from . import record_command  # noqa: PLC0415

            return record_command.run(args)
        case "doctor":
            from . import doctor_command  # noqa: PLC0415

            return doctor_command.run(args)
        case "devices":
            from . import devices  # noqa: PLC0415

            return devices.run(args)
        case "teach" | "labels":
            from . import teach_command  # noqa: PLC0415

            return teach_command.teach(args) if args.command == "teach" else teach_command.labels(args)
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
        if name not in _CONFIGURED:
            command.add_argument("--verbose", action="store_true", help="say more on standard error")
        if name == wanted:
            _add_arguments(name, command)
    return parser


def _add_arguments(name: str, parser: argparse.ArgumentParser) -> None:
    if name in _CONFIGURED:
        from . import options  # noqa: PLC0415

        options.add_arguments(
            parser, options.FEW if name in {"pair", "unpair", "selftest", "teach", "labels"} else None
        )
    if name == "selftest":
        from . import self_test_command  # noqa: PLC0415

        self_test_command.add_arguments(parser)
    elif name == "calibrate":
        from . import calibrate_command  # noqa: PLC0415

        calibrate_command.add_arguments(parser)
    elif name == "record":
        from . import record_command  # noqa: PLC0415

        record_command.add_arguments(parser)
    elif name == "devices":
        from . import devices  # noqa: PLC0415

        devices.add_arguments(parser)
    elif name == "classify":
        from . import classify  # noqa: PLC0415

        classify.add_arguments(parser)
    if name in {"teach", "labels"}:
        from . import teach_command  # noqa: PLC0415

        if name == "teach":
            teach_command.add_teach_arguments(parser)
        else:
            teach_command.add_labels_arguments(parser)
