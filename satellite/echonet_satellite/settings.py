"""What the owner turned (listening, sensitivity per class, clips), kept over restarts."""

from collections.abc import Sequence
from dataclasses import asdict, replace
import json
import logging
from pathlib import Path

from .codec import decode
from .errors import ProtocolError, StateError
from .protocol import ClipChange, ClipSettings, Configure, Sensitivity, Settings, SoundClass
from .state import FILE_MODE, make_private, set_aside, write_private

_LOGGER = logging.getLogger(__name__)


class SettingsStore:
    """Reads and writes `settings.json` for the classes of one model."""

    def __init__(self, path: Path, classes: Sequence[SoundClass], *, clips: bool = False) -> None:
        """Keep the settings of `classes` at `path`; `clips` tells whether clips can be kept at all."""
        self._path = path
        self._clips = clips
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
        data: dict[str, object] = {
            "listening": settings.listening,
            "sensitivity": {name.value: level.value for name, level in settings.sensitivity.items()},
        }
        if settings.clips is not None:
            data["clips"] = asdict(settings.clips)
        write_private(self._path, json.dumps(data, indent=2).encode() + b"\n")

    def _parse(self, data: object) -> Settings:
        if not isinstance(data, dict) or not isinstance(data.get("listening"), bool):
            raise TypeError("listening")
        sensitivity = data.get("sensitivity", {})
        if not isinstance(sensitivity, dict):
            raise TypeError("sensitivity")
        saved = {SoundClass(name): Sensitivity(level) for name, level in sensitivity.items()}
        return self._complete(listening=data["listening"], saved=saved, clips=data.get("clips"))

    def _complete(
        self, *, listening: bool, saved: dict[SoundClass, Sensitivity], clips: object = None
    ) -> Settings:
        return Settings(
            listening=listening,
            sensitivity={name: saved.get(name, Sensitivity.MEDIUM) for name in self._classes},
            clips=self._complete_clips(clips) if self._clips else None,
        )

    def _complete_clips(self, saved: object) -> ClipSettings:
        """Return what was saved of the clips; what makes no sense keeps none."""
        # Presence is people talking: whoever wants that kept must say so.
        settings = ClipSettings(
            enabled=False, classes={name: name is not SoundClass.PRESENCE for name in self._classes}
        )
        if saved is None:
            return settings
        try:
            message = decode(json.dumps({"type": Configure.type, "clips": saved}))
        except ProtocolError:
            _LOGGER.warning("What was saved about clips was damaged: none are kept")
            return settings
        assert isinstance(message, Configure)
        return changed(settings, message.clips) or settings


def changed(settings: ClipSettings | None, change: ClipChange | None) -> ClipSettings | None:
    """Return the settings of clips with a change; classes that are not ours are left out."""
    if settings is None or change is None:
        return settings
    wanted = {name: keep for name, keep in change.classes.items() if name in settings.classes}
    turned = {
        name: value
        for name in ("enabled", "talk", "keep_days", "keep_mb")
        if (value := getattr(change, name)) is not None
    }
    return replace(settings, classes={**settings.classes, **wanted}, **turned)
