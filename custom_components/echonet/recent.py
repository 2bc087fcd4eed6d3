"""The last sounds of one satellite, for those who look; also after Home Assistant has been started anew."""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
import logging
from typing import Any, Final

from homeassistant.core import CALLBACK_TYPE, HomeAssistant, callback
from homeassistant.helpers.storage import Store

from .codec import decode, encode
from .const import DOMAIN
from .protocol import Detection, Phase
from .reports import DetectionReport

_LOGGER = logging.getLogger(__name__)

MAX_RECENT: Final = 20
STORAGE_VERSION: Final = 1
SAVE_DELAY_S: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RecentSound:
    """A detection as it was told last, and whether that was too late to be news."""

    detection: Detection
    late: bool


class RecentSounds:
    """Remembers the last detections, and keeps them in a file of the satellite in `.storage`."""

    def __init__(self, hass: HomeAssistant, entry_id: str) -> None:
        """Begin with none; nothing is read or written yet."""
        self._store: Store[list[dict[str, Any]]] = Store(
            hass, STORAGE_VERSION, f"{DOMAIN}.sounds.{entry_id}", private=True, atomic_writes=True
        )
        self._sounds: OrderedDict[str, RecentSound] = OrderedDict()
        self._listeners: list[Callable[[], None]] = []

    def __iter__(self) -> Iterator[RecentSound]:
        """Go through them, the latest first."""
        return iter(sorted(self._sounds.values(), key=lambda item: item.detection.onset, reverse=True))

    async def async_load(self) -> None:
        """Take over what an earlier run has kept; what went on then is over, or the satellite will tell."""
        try:
            for item in await self._store.async_load() or []:
                detection = decode(item["detection"])
                if isinstance(detection, Detection):
                    sound = RecentSound(
                        detection=replace(detection, phase=Phase.END), late=bool(item["late"])
                    )
                    self._sounds.setdefault(detection.id, sound)
        except Exception as err:  # noqa: BLE001  # whatever the file holds, hearing goes on
            _LOGGER.warning("The last sounds of a satellite cannot be read, and are left out: %s", err)

    async def async_save(self) -> None:
        """Write them now, because nobody will later."""
        if self._sounds:
            await self._store.async_save(self._kept())

    async def async_remove(self) -> None:
        """Delete the file."""
        await self._store.async_remove()

    @callback
    def async_subscribe(self, listener: Callable[[], None]) -> CALLBACK_TYPE:
        """Call `listener` whenever there is something new; returns what ends it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    @callback
    def async_take(self, report: DetectionReport) -> None:
        """Take in a message; what was heard surest and loudest stays so."""
        detection = report.detection
        known = self._sounds.get(detection.id)
        sound = RecentSound(detection=detection, late=report.late)
        if known is not None:
            before = known.detection
            sound = RecentSound(
                detection=replace(
                    detection,
                    confidence=max(before.confidence, detection.confidence),
                    peak_dbfs=max(before.peak_dbfs, detection.peak_dbfs),
                    pattern=detection.pattern or before.pattern,
                ),
                late=known.late and report.late,
            )
        self._sounds[detection.id] = sound
        if len(self._sounds) > MAX_RECENT:
            self._sounds.popitem(last=False)
        self._store.async_delay_save(self._kept, SAVE_DELAY_S)
        for listener in tuple(self._listeners):
            listener()

    def _kept(self) -> list[dict[str, Any]]:
        return [{"detection": encode(item.detection), "late": item.late} for item in self._sounds.values()]
