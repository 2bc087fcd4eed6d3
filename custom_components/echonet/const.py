"""Names that several modules of the integration share."""

from typing import Final

from homeassistant.const import Platform

DOMAIN: Final = "echonet"
MANUFACTURER: Final = "EchoNet"

CONF_FINGERPRINT: Final = "fingerprint"

SATELLITE_PLATFORMS: Final = (
    Platform.BINARY_SENSOR,
    Platform.BUTTON,
    Platform.EVENT,
    Platform.NUMBER,
    Platform.SELECT,
    Platform.SENSOR,
    Platform.SWITCH,
)

# The household is the second kind of config entry. Satellites use their 32-digit id as unique id.
HOUSEHOLD_UNIQUE_ID: Final = "household"
ALERT_UNIQUE_ID: Final = f"{HOUSEHOLD_UNIQUE_ID}-alert"
HOUSEHOLD_TITLE: Final = "Household alerts"
HOUSEHOLD_PLATFORMS: Final = (Platform.BUTTON, Platform.EVENT, Platform.SENSOR)
# The household's device belongs to a subentry too: the integration page else sets it apart from the recipients.
SUBENTRY_HOME: Final = "home"
SUBENTRY_RECIPIENT: Final = "recipient"

CONF_ADDRESS: Final = "address"
CONF_CLASSES: Final = "classes"
CONF_KIND: Final = "kind"
CONF_ORDER: Final = "order"

EVENT_LESSON: Final = f"{DOMAIN}_lesson"
EVENT_SOUND: Final = f"{DOMAIN}_sound"

ATTR_CONFIDENCE: Final = "confidence"
ATTR_DURATION: Final = "duration"
ATTR_EVENT_TYPE: Final = "event_type"
ATTR_LATE: Final = "late"
ATTR_LEVEL: Final = "level"
ATTR_ONSET: Final = "onset"
ATTR_OUTCOME: Final = "outcome"
ATTR_PATTERN: Final = "pattern"
ATTR_PULSES: Final = "pulses"
ATTR_REPLAYED: Final = "replayed"
ATTR_ROOM: Final = "room"
ATTR_ROOM_DEVICE_ID: Final = "room_device_id"
ATTR_SOUND_CLASS: Final = "sound_class"
ATTR_TEST: Final = "test"
