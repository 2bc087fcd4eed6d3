"""The integration's client and messages without Home Assistant, for the tests that run on every Python.

`custom_components.echonet` itself imports Home Assistant; the modules here are the same files, in a package of
their own.
"""

import importlib
from pathlib import Path
import sys
from types import ModuleType
from typing import TYPE_CHECKING

_NAME = "echonet_wire"
if _NAME not in sys.modules:
    _package = ModuleType(_NAME)
    _package.__path__ = [str(Path(__file__).parents[2] / "custom_components" / "echonet")]
    sys.modules[_NAME] = _package

if TYPE_CHECKING:
    from custom_components.echonet import client, codec, errors, protocol
else:
    protocol = importlib.import_module(f"{_NAME}.protocol")
    codec = importlib.import_module(f"{_NAME}.codec")
    client = importlib.import_module(f"{_NAME}.client")
    errors = importlib.import_module(f"{_NAME}.errors")

__all__ = ["client", "codec", "errors", "protocol"]
