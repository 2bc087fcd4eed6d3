"""Starts the satellite with what was set in Home Assistant, as environment variables."""

from collections.abc import Mapping
import json
import os
from pathlib import Path
import sys

OPTIONS = Path("/data/options.json")


def environment(options: Path, inherited: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of the satellite; what was left empty keeps its default."""
    said = json.loads(options.read_text(encoding="utf-8"))
    variables = {
        f"ECHONET_SATELLITE_{name.upper()}": str(value) for name, value in said.items() if value is not None
    }
    return {**inherited, **variables}


if __name__ == "__main__":
    options = Path(sys.argv[1]) if len(sys.argv) > 1 else OPTIONS
    os.execvpe("echonet-satellite", ["echonet-satellite", "run"], environment(options, os.environ))
