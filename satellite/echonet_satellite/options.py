"""The options on the command line, and the configuration that they, the environment and the file make."""

import argparse
from pathlib import Path

from .config import Config, Effective, load
from .option_table import OPTIONS, Kind
from .state import default_state_directory

# The options of commands that only speak to a running satellite.
FEW = frozenset({"state", "log.format", "log.verbose"})


def add_arguments(parser: argparse.ArgumentParser, keys: frozenset[str] | None = None) -> None:
    """Add the configuration file and these options, or all that there are."""
    parser.add_argument("--config", type=Path, metavar="FILE", help="configuration file (docs/satellite.md)")
    for option in OPTIONS:
        if keys is not None and option.key not in keys:
            continue
        if option.kind is Kind.BOOLEAN:
            parser.add_argument(option.flag, action=argparse.BooleanOptionalAction, help=option.help)
        else:
            parser.add_argument(option.flag, metavar=option.metavar, help=option.help)


def effective(args: argparse.Namespace) -> Effective:
    """Return the configuration that this command line has, and where each value is from.

    Raises:
        ConfigError: a key or value is wrong.
    """
    given = {option.key: getattr(args, option.destination, None) for option in OPTIONS}
    flags = {key: str(value) for key, value in given.items() if value is not None}
    return load(getattr(args, "config", None), flags=flags)


def configuration(args: argparse.Namespace) -> Config:
    """Return the configuration that this command line has.

    Raises:
        ConfigError: a key or value is wrong.
    """
    return effective(args).config


def state_directory(config: Config) -> Path:
    """Return where the satellite keeps what it must not forget."""
    return config.state or default_state_directory()
