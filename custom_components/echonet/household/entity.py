"""The device that stands for the household, to which its entities belong."""

from homeassistant.helpers.device_registry import DeviceEntryType, DeviceInfo

from ..const import DOMAIN, HOUSEHOLD_UNIQUE_ID, MANUFACTURER


def household_device() -> DeviceInfo:
    """Return what the registry is told of it."""
    return DeviceInfo(
        identifiers={(DOMAIN, HOUSEHOLD_UNIQUE_ID)},
        entry_type=DeviceEntryType.SERVICE,
        manufacturer=MANUFACTURER,
        translation_key="household",
    )
