"""`echonet-satellite config`: the configuration that holds, as a file would say it, and where each value is from."""

import argparse
from collections.abc import Mapping
from dataclasses import fields
from operator import attrgetter
from pathlib import Path
from typing import Any

from .config import Config, Effective, GpsdAddress
from .option_table import OPTIONS, Kind, Option
from .options import effective
from .source_config import SourceConfig


def run(args: argparse.Namespace) -> int:
    """Print the configuration and return the exit status."""
    print(text(effective(args)))
    return 0


def text(found: Effective) -> str:
    """Return a configuration as TOML: whoever keeps it as a file has the same one."""
    sections: dict[str, list[Option]] = {}
    for option in OPTIONS:
        if option.kind is not Kind.SECTIONS:
            sections.setdefault(option.key.rpartition(".")[0], []).append(option)
    blocks = []
    for section, options in sections.items():
        if section == "audio" and found.config.sources:
            blocks += [_room(source, found.origins) for source in found.config.sources]
            continue
        lines = [f"[{section}]"] if section else []
        lines += [_line(option, found.config, found.origins) for option in options]
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks)


def _line(option: Option, config: Config, origins: Mapping[str, str]) -> str:
    try:
        value = attrgetter(option.shown_as)(config)
    except AttributeError:
        value = None
    name = option.key.rpartition(".")[2]
    origin = origins.get(option.key, "default")
    if value is None:
        return f"# {name} is not set"
    return f"{f'{name} = {_toml(value)}':<44} # {origin}"


def _room(source: SourceConfig, origins: Mapping[str, str]) -> str:
    lines = [f"{'[[sources]]':<44} # {origins.get('sources', 'default')}"]
    for field in fields(source):
        value = getattr(source, field.name)
        lines.append(
            f"# {field.name} is not set" if value in {None, ""} else f"{field.name} = {_toml(value)}"
        )
    return "\n".join(lines)


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, tuple):
        return f"[{', '.join(map(_toml, value))}]"
    text = str(value) if isinstance(value, str | Path | GpsdAddress) else repr(value)
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
