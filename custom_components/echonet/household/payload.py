"""The `data` of a notification for the companion apps: how loud, what a touch opens, which buttons. Pure."""

from enum import StrEnum
from hashlib import sha256
from typing import Any, Final
from urllib.parse import quote

from .alerts import Alert
from .kinds import UNMUTABLE, Severity
from .policy import Telling
from .texts import Texts
from .wording import Notice

GROUP: Final = "echonet"
# Apple takes 64 bytes for what makes a notification replace another one.
MAX_KEY_BYTES: Final = 40
# Push services take 4 KiB for the whole notification, and the text to forward must leave room for the rest.
MAX_FORWARD_BYTES: Final = 1800

URI: Final = "URI"
ACTION_PREFIX: Final = "ECHONET"


class Answer(StrEnum):
    """What a person can answer to an alert."""

    ACKNOWLEDGE = "acknowledge"
    FALSE_ALARM = "false_alarm"
    MUTE = "mute"


def companion_data(
    alert: Alert, notice: Notice, texts: Texts, *, opens: str, picture: str | None = None, quiet: bool = False
) -> dict[str, Any]:
    """Return the `data` of a notification for the companion apps of Android and iOS.

    The tag makes a later telling of the same incident replace the earlier one.

    Args:
        alert: What is told.
        notice: The same in words.
        texts: The language of the buttons.
        opens: The page of Home Assistant that a touch opens.
        picture: Where the picture of the sound is, which the apps fetch with their own login.
        quiet: Make no sound, however loud the alert was.
    """
    return {
        "tag": f"{GROUP}-{key_of(alert.incident_id)}",
        "group": GROUP,
        "url": opens,
        "clickAction": opens,
        **({"image": picture} if picture else {}),
        "actions": _buttons(alert, notice, texts),
        "latitude": alert.position.latitude,
        "longitude": alert.position.longitude,
        **loudness(Severity.SILENT if quiet else alert.severity),
    }


def key_of(incident_id: str) -> str:
    """Return what stands for an incident where there is little room; its id is what a satellite made up."""
    if len(incident_id.encode()) <= MAX_KEY_BYTES and incident_id.isascii():
        return incident_id
    return sha256(incident_id.encode()).hexdigest()[:MAX_KEY_BYTES]


def action_id(answer: Answer, incident_id: str) -> str:
    """Return what a button tells when it is pressed."""
    return f"{ACTION_PREFIX}-{answer.value.upper()}-{key_of(incident_id)}"


def read_action(action: str) -> tuple[Answer, str] | None:
    """Return the answer and the key of the incident that a button stands for, None if the button is not ours."""
    prefix, _, rest = action.partition("-")
    name, _, key = rest.partition("-")
    if prefix != ACTION_PREFIX or name.lower() not in set(Answer) or not key:
        return None
    return Answer(name.lower()), key


def loudness(severity: Severity) -> dict[str, Any]:
    """Return what makes phones as loud as a severity asks."""
    match severity:
        case Severity.CRITICAL:
            return {
                "ttl": 0,
                "priority": "high",
                "channel": "alarm_stream",
                "push": {
                    "interruption-level": "critical",
                    "sound": {"name": "default", "critical": 1, "volume": 1.0},
                },
            }
        case Severity.HIGH:
            return {
                "ttl": 0,
                "priority": "high",
                "channel": "EchoNet",
                "importance": "high",
                "push": {"interruption-level": "time-sensitive"},
            }
        case Severity.NORMAL:
            # Android keeps the importance of a channel as it was first seen, so that each has its own.
            return {
                "ttl": 0,
                "priority": "high",
                "channel": "EchoNet notices",
                "importance": "default",
                "push": {"interruption-level": "active"},
            }
        case Severity.SILENT:
            return {
                "alert_once": True,
                "channel": "EchoNet updates",
                "importance": "low",
                "push": {"interruption-level": "passive", "sound": "none"},
            }


def _buttons(alert: Alert, notice: Notice, texts: Texts) -> list[dict[str, str]]:
    """Return the buttons, the most needed first: Android shows three of them, iOS all."""
    acknowledge = _answer(Answer.ACKNOWLEDGE, texts.acknowledge, alert)
    false_alarm = _answer(Answer.FALSE_ALARM, texts.false_alarm, alert)
    mute = _answer(Answer.MUTE, texts.mute, alert)
    show_map = {"action": URI, "title": texts.show_map, "uri": alert.position.map_url}
    if alert.telling is Telling.TEST:
        return [acknowledge, show_map]
    if alert.telling is Telling.ALL_CLEAR:
        return [false_alarm, show_map]
    if alert.facts.acknowledgement is not None:
        return [false_alarm, show_map]
    if alert.kind in UNMUTABLE:
        return [acknowledge, false_alarm, show_map, *_forward(notice, texts)]
    if alert.critical:
        return [acknowledge, false_alarm, show_map, mute, *_forward(notice, texts)]
    return [false_alarm, mute, show_map, acknowledge]


def _answer(answer: Answer, title: str, alert: Alert) -> dict[str, str]:
    return {"action": action_id(answer, alert.incident_id), "title": title}


def _forward(notice: Notice, texts: Texts) -> list[dict[str, str]]:
    # iOS wants an ampersand before the body and Android a question mark; both take both.
    uri = f"sms:?&body={quote(notice.emergency, safe='')}"
    return [{"action": URI, "title": texts.forward, "uri": uri}] if len(uri) <= MAX_FORWARD_BYTES else []
