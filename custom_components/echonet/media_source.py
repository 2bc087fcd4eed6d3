"""The clips of all satellites in Home Assistant's media browser."""

from typing import override

from homeassistant.components.media_player import BrowseError, MediaClass, MediaType
from homeassistant.components.media_source import (
    BrowseMediaSource,
    MediaSource,
    MediaSourceItem,
    PlayMedia,
    Unresolvable,
)
from homeassistant.core import HomeAssistant
from homeassistant.helpers.translation import async_get_translations
from homeassistant.util import dt as dt_util

from .client import ClientError
from .clip_access import MIME_TYPES, async_get_satellites_with_clips, async_get_shelf, clip_url
from .clips import Part, is_clip_id
from .const import DOMAIN
from .coordinator import SatelliteConfigEntry
from .protocol import Clip


async def async_get_media_source(hass: HomeAssistant) -> ClipSource:
    """Return the clips, for the media browser."""
    return ClipSource(hass)


class ClipSource(MediaSource):
    """Satellites, each with its clips; an item is named by `entry id/detection id`."""

    name = "EchoNet"

    def __init__(self, hass: HomeAssistant) -> None:
        """Show what `hass` knows."""
        super().__init__(DOMAIN)
        self.hass = hass

    @override
    async def async_resolve_media(self, item: MediaSourceItem) -> PlayMedia:
        """Return where the sound of a clip is."""
        entry_id, _, detection_id = item.identifier.partition("/")
        self._entry(entry_id, Unresolvable)
        if not is_clip_id(detection_id):
            raise Unresolvable(translation_domain=DOMAIN, translation_key="unknown_clip")
        return PlayMedia(clip_url(entry_id, detection_id, Part.SOUND), MIME_TYPES[Part.SOUND])

    @override
    async def async_browse_media(self, item: MediaSourceItem) -> BrowseMediaSource:
        """Return all satellites that can keep clips, or the clips of one."""
        if not item.identifier:
            entries = async_get_satellites_with_clips(self.hass)
            return _folder("", self.name, [_folder(entry.entry_id, entry.title) for entry in entries])
        entry = self._entry(item.identifier, BrowseError)
        try:
            clips = await async_get_shelf(self.hass, entry).async_list()
        except ClientError as err:
            raise BrowseError(
                translation_domain=DOMAIN,
                translation_key="not_connected",
                translation_placeholders={"name": entry.title},
            ) from err
        names = await async_get_translations(self.hass, self.hass.config.language, "entity", {DOMAIN})
        return _folder(entry.entry_id, entry.title, [_item(entry, clip, names) for clip in clips])

    def _entry(self, entry_id: str, error: type[BrowseError | Unresolvable]) -> SatelliteConfigEntry:
        for entry in async_get_satellites_with_clips(self.hass):
            if entry.entry_id == entry_id:
                return entry
        raise error(translation_domain=DOMAIN, translation_key="unknown_clip")


def _folder(
    identifier: str, title: str, children: list[BrowseMediaSource] | None = None
) -> BrowseMediaSource:
    return BrowseMediaSource(
        domain=DOMAIN,
        identifier=identifier or None,
        media_class=MediaClass.DIRECTORY,
        media_content_type=MediaType.MUSIC,
        title=title,
        can_play=False,
        can_expand=True,
        children=children,
        children_media_class=MediaClass.MUSIC if identifier else MediaClass.DIRECTORY,
    )


def _item(entry: SatelliteConfigEntry, clip: Clip, names: dict[str, str]) -> BrowseMediaSource:
    # The sound is called what its sensor is called.
    name = names.get(f"component.{DOMAIN}.entity.binary_sensor.{clip.sound_class}.name", clip.sound_class)
    moment = dt_util.as_local(clip.onset)
    return BrowseMediaSource(
        domain=DOMAIN,
        identifier=f"{entry.entry_id}/{clip.detection_id}",
        media_class=MediaClass.MUSIC,
        media_content_type=MIME_TYPES[Part.SOUND],
        title=f"{name} {moment:%Y-%m-%d %H:%M:%S}",
        can_play=True,
        can_expand=False,
        thumbnail=clip_url(entry.entry_id, clip.detection_id, Part.PICTURE),
    )
