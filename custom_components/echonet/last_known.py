"""What a satellite last said of itself, so that Home Assistant can show that it is away after a restart, too."""

from dataclasses import replace
import logging
from typing import Any, Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.storage import Store

from .codec import decode, encode
from .const import DOMAIN
from .protocol import Health, Learning, Settings, Snapshot, Welcome

_LOGGER = logging.getLogger(__name__)

STORAGE_VERSION: Final = 1
SAVE_DELAY_S: Final = 5.0


class LastKnown:
    """The file of one satellite in `.storage`; its messages are kept as they came."""

    def __init__(self, hass: HomeAssistant, entry_id: str) -> None:
        """Read and write nothing yet."""
        self._store: Store[dict[str, Any]] = Store(
            hass, STORAGE_VERSION, f"{DOMAIN}.satellite.{entry_id}", private=True, atomic_writes=True
        )

    async def async_load(self) -> tuple[Welcome, Snapshot] | None:
        """Return what was kept, None if there is nothing or it cannot be read."""
        try:
            data = await self._store.async_load()
            if data is None:
                return None
            welcome, snapshot = decode(data["welcome"]), decode(data["snapshot"])
        except Exception as err:  # noqa: BLE001  # whatever the file holds, the satellite itself will tell
            _LOGGER.warning("What was kept of a satellite cannot be read, and is left out: %s", err)
            return None
        if not isinstance(welcome, Welcome) or not isinstance(snapshot, Snapshot):
            return None
        return welcome, snapshot

    @callback
    def async_keep(self, welcome: Welcome, health: Health, settings: Settings, learning: Learning) -> None:
        """Write it before long. What the satellite hears is not kept: it will not be true any more."""
        # Where it is stays its own secret: a file is read by whoever reads a backup.
        kept = encode(replace(welcome, location=None))
        state = encode(Snapshot(active=(), health=health, settings=settings, learning=_silent(learning)))
        self._store.async_delay_save(lambda: {"welcome": kept, "snapshot": state}, SAVE_DELAY_S)

    async def async_remove(self) -> None:
        """Delete the file."""
        await self._store.async_remove()


def _silent(learning: Learning) -> Learning:
    return replace(learning, sounds=tuple(replace(sound, active=False) for sound in learning.sounds))
