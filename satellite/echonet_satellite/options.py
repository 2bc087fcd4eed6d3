"""The options of `run`, and the configuration that they and the file make."""

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

from .config import Config, load
from .errors import ConfigError
from .state import default_state_directory


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of `run`."""
    parser.add_argument("--name", help="what Home Assistant calls the satellite (default: the host's name)")
    parser.add_argument("--port", type=int, help="port to listen on (default: 8765; 0: any free one)")
    parser.add_argument(
        "--source",
        metavar="microphone|demo|FILE",
        help="where sound comes from: the microphone (default), the built-in sounds, or a sound file",
    )
    parser.add_argument(
        "--device", metavar="NAME_OR_INDEX", help="which microphone; `echonet-satellite devices` lists them"
    )
    parser.add_argument(
        "--model", type=Path, metavar="DIR", help="folder of the model (default: the built-in one)"
    )
    parser.add_argument(
        "--events-json", action="store_true", help="write one JSON object per event to standard output"
    )
    parser.add_argument(
        "--no-announce", action="store_true", help="do not announce the satellite by zeroconf"
    )


def configuration(args: argparse.Namespace) -> Config:
    """Return the configuration file with the options of the command line over it.

    Raises:
        ConfigError: a key or value is wrong.
    """
    config = load(args.config)
    options: dict[str, Any] = {
        name: getattr(args, name, None)
        for name in ("state", "name", "port", "source", "device", "model")
        if getattr(args, name, None) is not None
    }
    if not 0 <= options.get("port", 0) <= 65535:
        raise ConfigError(f"--port must be from 0 to 65535, not {options['port']}")
    if "name" in options and not (options["name"].strip() and options["name"].isprintable()):
        raise ConfigError("--name must be a printable text")
    if getattr(args, "no_announce", False):
        options["announce"] = False
    return replace(config, **options)


def state_directory(config: Config) -> Path:
    """Return where the satellite keeps what it must not forget."""
    return config.state or default_state_directory()
