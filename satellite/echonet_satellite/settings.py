"""What the owner turned (listening, sensitivity per class, clips), kept over restarts."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
import json
import logging
from pathlib import Path
import threading

from .codec import decode
from .errors import ProtocolError, StateError
from .output import escaped
from .protocol import ClipChange, ClipSettings, Configure, Problem, Sensitivity, Settings, SoundClass
from .state import FILE_MODE, keep_copy, make_private, write_private

_LOGGER = logging.getLogger(__name__)


class SettingsStore:
    """Reads and writes `settings.json` for the classes of one model."""

    def __init__(self, path: Path, classes: Sequence[SoundClass], *, clips: bool = False) -> None:
        """Keep the settings of `classes` at `path`; `clips` tells whether clips can be kept at all."""
        self._path = path
        self._clips = clips
        self._classes = tuple(classes)
        self._damaged = False

    @property
    def damaged(self) -> bool:
        """Whether what the owner turned was lost, and nobody has turned anything since."""
        return self._damaged

    def load(self) -> Settings:
        """Return what was saved, or the defaults; a damaged file is set aside and never stops the satellite.

        Where the file does not say whether the owner wants to be heard, nobody is: it may have been turned off.
        """
        try:
            make_private(self._path, FILE_MODE)
            text = self._path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return self._complete(listening=True, saved={})
        except (OSError, ValueError) as err:
            return self._lost(str(err), listening=False)
        listening: object = None
        try:
            data = json.loads(text)
            if not isinstance(data, dict) or not isinstance(listening := data.get("listening"), bool):
                return self._lost("it does not say whether to listen", listening=False)
            self._damaged = data.get("lost") is True
            return self._complete(
                listening=listening,
                saved=_sensitivities(data.get("sensitivity", {})),
                clips=data.get("clips"),
            )
        except (ValueError, TypeError, RecursionError) as err:
            return self._lost(str(err), listening=listening is True)

    def save(self, settings: Settings) -> None:
        """Write the settings in one piece."""
        self._write(settings)
        self._damaged = False

    def _write(self, settings: Settings, *, lost: bool = False) -> None:
        data: dict[str, object] = {
            "listening": settings.listening,
            "sensitivity": {name.value: level.value for name, level in settings.sensitivity.items()},
        }
        if settings.clips is not None:
            data["clips"] = asdict(settings.clips)
        if lost:
            data["lost"] = True
        write_private(self._path, json.dumps(data, indent=2).encode() + b"\n")

    def _lost(self, reason: str, *, listening: bool) -> Settings:
        settings = self._complete(listening=listening, saved={})
        _LOGGER.error(
            "%s is damaged (%s): %s, until somebody changes a setting in Home Assistant; a copy is kept beside it",
            self._path,
            escaped(reason),
            "the sensitivities are the defaults" if listening else "the satellite does not listen",
        )
        try:
            keep_copy(self._path)
            # At once: a file that is missing at the next start would mean the defaults, and those listen.
            self._write(settings, lost=True)
        except (OSError, StateError) as err:
            _LOGGER.warning("The damaged settings stay where they are: %s", err)
        self._damaged = True
        return settings

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


class OwnerSettings:
    """The settings that hold now, on disk as soon as it takes them; any thread may save."""

    def __init__(self, store: SettingsStore, report: Callable[..., None]) -> None:
        """Begin with what `store` has; `report` is told by name what is wrong with them."""
        self._store = store
        self._report = report
        self.now = store.load()
        self.unsaved = False
        # Not the lock of what is heard: a disk that takes its time must not hold up an alarm.
        self._saving = threading.Lock()

    def change(self, message: Configure) -> Settings:
        """Return the settings with what somebody has turned; `save` puts them on disk.

        Not listening is a wish about privacy: it holds at once, whether or not the disk takes it.
        """
        before = self.now
        wanted = {name: level for name, level in message.sensitivity.items() if name in before.sensitivity}
        self.now = Settings(
            listening=before.listening if message.listening is None else message.listening,
            sensitivity={**before.sensitivity, **wanted},
            clips=changed(before.clips, message.clips),
        )
        return self.now

    def save(self) -> None:
        """Put them on disk; where it takes them not, `save_again` does."""
        with self._saving:
            try:
                self._store.save(self.now)
            except StateError as err:
                # They are saved when the disk of the journal, which is the same one, works again.
                _LOGGER.error("The settings are not on disk yet: %s", err)
                self.unsaved = True
            else:
                self.unsaved = False
        self.report()

    def save_again(self) -> None:
        """Put on disk what it did not take before."""
        if self.unsaved:
            self.save()

    def report(self) -> None:
        """Report whether what the owner turned was lost."""
        self._report("settings", *((Problem.SETTINGS_LOST,) if self._store.damaged else ()))


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


def _sensitivities(data: object) -> dict[SoundClass, Sensitivity]:
    if not isinstance(data, dict):
        raise TypeError("sensitivity")
    return {SoundClass(name): Sensitivity(level) for name, level in data.items()}
