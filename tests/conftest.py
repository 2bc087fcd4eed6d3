"""What all tests share: where the recordings are, and that ours is the integration under test."""

from collections.abc import Callable
import importlib
import os
from pathlib import Path
import sys

import pytest

_REPOSITORY = Path(__file__).parents[1]

# The test harness brings a package of this name; ours must be the one that is imported first.
if str(_REPOSITORY) not in sys.path:
    sys.path.insert(0, str(_REPOSITORY))
importlib.import_module("custom_components")


@pytest.fixture(scope="session")
def recordings() -> Path:
    """The folder of recordings: ECHONET_DATA, or the one beside the repository."""
    folder = Path(os.environ.get("ECHONET_DATA") or _REPOSITORY.parent / "shared" / "data")
    if not (folder / "manifest.csv").is_file():
        pytest.skip(f"no recordings in {folder}: set ECHONET_DATA to the folder that has manifest.csv")
    return folder


@pytest.fixture(scope="session")
def recording(recordings: Path) -> Callable[[str], Path]:
    """A recording by its path in the folder of recordings."""

    def find(name: str) -> Path:
        path = recordings / name
        if not path.is_file():
            pytest.skip(f"the recording {name} is not among those in {recordings}")
        return path

    return find
