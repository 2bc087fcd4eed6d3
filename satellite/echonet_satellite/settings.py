"""What the owner turned (listening, sensitivity per class), kept over restarts."""

from collections.abc import Sequence
import json
import logging
from pathlib import Path

from .errors import StateError
from .protocol import Sensitivity, Settings, SoundClass
from .state import FILE_MODE, make_private, set_aside, write_private

_LOGGER = logging.getLogger(__name__)


class SettingsStore:
    """Reads and writes `settings.json` for the classes of one model."""

    def __init__(self, path: Path, classes: Sequence[SoundClass]) -> None:
        """Keep the settings of `classes` at `path`."""
        self._path = path
        self._classes = tuple(classes)

    def load(self) -> Settings:
        """Return what was saved, or the defaults; a damaged file is set aside and never stops the satellite."""
        try:
            make_private(self._path, FILE_MODE)
            return self._parse(json.loads(self._path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return self._complete(listening=True, saved={})
        except (ValueError, TypeError, RecursionError):
            aside = set_aside(self._path)
            _LOGGER.warning(
                "The settings were damaged and are the defaults again; the old file is now %s", aside
            )
            return self._complete(listening=True, saved={})
        except OSError as err:
            raise StateError(f"cannot read {self._path}: {err.strerror}") from None

    def save(self, settings: Settings) -> None:
        """Write the settings in one piece."""
        data = {
            "listening": settings.listening,
            "sensitivity": {name.value: level.value for name, level in settings.sensitivity.items()},
        }
        write_private(self._path, json.dumps(data, indent=2).encode() + b"\n")

    def _parse(self, data: object) -> Settings:
        if not isinstance(data, dict) or not isinstance(data.get("listening"), bool):
            raise TypeError("listening")
        sensitivity = data.get("sensitivity", {})
        if not isinstance(sensitivity, dict):
            raise TypeError("sensitivity")
        saved = {SoundClass(name): Sensitivity(level) for name, level in sensitivity.items()}
        return self._complete(listening=data["listening"], saved=saved)

    def _complete(self, *, listening: bool, saved: dict[SoundClass, Sensitivity]) -> Settings:
        return Settings(
            listening=listening,
            sensitivity={name: saved.get(name, Sensitivity.MEDIUM) for name in self._classes},
        )
