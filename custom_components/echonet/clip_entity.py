"""The base of the entities that say which clips a satellite keeps."""

from typing import override

from .entity import SatelliteEntity
from .protocol import ClipChange, ClipSettings, Configure


class ClipEntity(SatelliteEntity):
    """An entity of a satellite that can keep clips."""

    _follows = frozenset({"settings"})

    @property
    def clips(self) -> ClipSettings | None:
        """What the satellite says of its clips; None where it cannot keep any (any more)."""
        return self.coordinator.data.settings.clips

    @property
    @override
    def available(self) -> bool:
        """Whether the satellite is there, and can keep clips."""
        return super().available and self.clips is not None

    async def async_change(self, change: ClipChange) -> None:
        """Send a change; the satellite answers with its new settings."""
        await self.coordinator.async_send(Configure(clips=change))
