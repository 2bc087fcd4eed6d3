"""Clips behind Home Assistant's own login: fetched from the satellite when they are asked for, and kept nowhere."""

from http import HTTPStatus
from typing import Final

from aiohttp import web
from homeassistant.config_entries import ConfigEntryState
from homeassistant.const import CONF_HOST, CONF_PORT, CONF_TOKEN
from homeassistant.core import HomeAssistant, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.aiohttp_client import async_get_clientsession
from homeassistant.helpers.http import KEY_HASS, HomeAssistantView

from .client import ClientError
from .clips import ClipShelf, Part, is_clip_id
from .const import CONF_FINGERPRINT, DOMAIN
from .coordinator import SatelliteConfigEntry
from .helpers import async_get_satellites, translation_key

URL: Final = "/api/echonet/clips/{entry_id}/{name}"
MIME_TYPES: Final = {Part.SOUND: "audio/flac", Part.PICTURE: "image/png"}


@callback
def async_get_shelf(hass: HomeAssistant, entry: SatelliteConfigEntry) -> ClipShelf:
    """Return where the clips of a satellite are."""
    return ClipShelf(
        session=async_get_clientsession(hass),
        host=entry.data[CONF_HOST],
        port=entry.data[CONF_PORT],
        fingerprint=entry.data[CONF_FINGERPRINT],
        token=entry.data[CONF_TOKEN],
    )


def clip_url(entry_id: str, detection_id: str, part: Part) -> str:
    """Return where Home Assistant gives out a part of a clip, to whoever is logged in."""
    return URL.format(entry_id=entry_id, name=f"{detection_id}.{part}")


@callback
def async_get_satellites_with_clips(hass: HomeAssistant) -> list[SatelliteConfigEntry]:
    """Return the satellites that can keep clips, whether or not they do."""
    return [
        entry
        for entry in async_get_satellites(hass)
        if entry.state is ConfigEntryState.LOADED and entry.runtime_data.data.settings.clips is not None
    ]


async def async_delete_clips(
    hass: HomeAssistant, entry: SatelliteConfigEntry, detection_id: str | None = None
) -> None:
    """Delete a clip of a satellite, or all of them.

    Raises:
        HomeAssistantError: the satellite cannot be reached.
    """
    try:
        await async_get_shelf(hass, entry).async_delete(detection_id)
    except ClientError as err:
        raise HomeAssistantError(
            translation_domain=DOMAIN,
            translation_key=translation_key(err),
            translation_placeholders={"name": entry.title},
        ) from err


class ClipView(HomeAssistantView):
    """Hands a clip through from its satellite."""

    url = URL
    name = "api:echonet:clips"

    async def get(self, request: web.Request, entry_id: str, name: str) -> web.Response:
        """Return sound or picture of a clip."""
        hass = request.app[KEY_HASS]
        detection_id, _, suffix = name.partition(".")
        entry = next(
            (item for item in async_get_satellites_with_clips(hass) if item.entry_id == entry_id), None
        )
        if entry is None or suffix not in set(Part) or not is_clip_id(detection_id):
            return web.Response(status=HTTPStatus.NOT_FOUND)
        try:
            content = await async_get_shelf(hass, entry).async_fetch(detection_id, Part(suffix))
        except ClientError:
            return web.Response(status=HTTPStatus.BAD_GATEWAY)
        if content is None:
            return web.Response(status=HTTPStatus.NOT_FOUND)
        return web.Response(
            body=content,
            content_type=MIME_TYPES[Part(suffix)],
            headers={"Cache-Control": "private, no-store", "X-Content-Type-Options": "nosniff"},
        )
