"""Raises and clears the repair issues of satellites and recipients."""

from collections.abc import Mapping
from datetime import timedelta

from homeassistant.config_entries import ConfigEntry
from homeassistant.const import CONF_TARGET
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from .client import ClientError
from .const import DOMAIN
from .helpers import translation_key

CERTIFICATE_CHANGED = "certificate_changed"
CHATTERBOX = "chatterbox"
STILL_PAIRED = "still_paired"
CLOCK_WRONG = "clock_wrong"
CLOCK_AHEAD = "clock_ahead"
CLOCK_BEHIND = "clock_behind"
# One at a time, under one id.
CLOCK_ISSUES = (CLOCK_AHEAD, CLOCK_BEHIND)
SATELLITE_OUTDATED = "satellite_outdated"
INTEGRATION_OUTDATED = "integration_outdated"
UNSUPPORTED_PROTOCOL = "unsupported_protocol"
CONNECTION_ISSUES = (CERTIFICATE_CHANGED, SATELLITE_OUTDATED, INTEGRATION_OUTDATED, UNSUPPORTED_PROTOCOL)
UNPAIR_COMMAND = "sudo echonet-satellite unpair"
UPDATE_PAGE = "https://github.com/echonet-home/echonet/blob/main/docs/install.md#update"
WALK_TEST_DUE = "walk_test_due"
# Each obstacle has an issue of its own, under one id: a recipient has at most one.
RECIPIENT_ISSUES: Mapping[str, str] = {
    "missing": "recipient_missing",
    "unavailable": "recipient_unavailable",
    "failed": "recipient_failed",
}
_RECIPIENT_PREFIX = "recipient_failed_"


@callback
def async_report_connection_issue(hass: HomeAssistant, entry: ConfigEntry, err: ClientError) -> None:
    """Show what keeps a satellite away until somebody acts."""
    key = translation_key(err)
    ir.async_create_issue(
        hass,
        DOMAIN,
        f"{key}_{entry.entry_id}",
        data={"entry_id": entry.entry_id},
        is_fixable=key == CERTIFICATE_CHANGED,
        learn_more_url=None if key == CERTIFICATE_CHANGED else UPDATE_PAGE,
        severity=ir.IssueSeverity.ERROR,
        translation_key=key,
        translation_placeholders={"name": entry.title},
    )


@callback
def async_clear_connection_issues(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Withdraw what `async_report_connection_issue` has shown."""
    for key in CONNECTION_ISSUES:
        ir.async_delete_issue(hass, DOMAIN, f"{key}_{entry.entry_id}")


@callback
def async_report_chatterbox_issue(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Show that a satellite was dropped because it never stops talking."""
    ir.async_create_issue(
        hass,
        DOMAIN,
        f"{CHATTERBOX}_{entry.entry_id}",
        is_fixable=False,
        learn_more_url=UPDATE_PAGE,
        severity=ir.IssueSeverity.ERROR,
        translation_key=CHATTERBOX,
        translation_placeholders={"name": entry.title},
    )


@callback
def async_clear_chatterbox_issue(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Withdraw what `async_report_chatterbox_issue` has shown."""
    ir.async_delete_issue(hass, DOMAIN, f"{CHATTERBOX}_{entry.entry_id}")


@callback
def async_report_still_paired_issue(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Show that a satellite that was removed here does not know it; stays until its owner has read it."""
    ir.async_create_issue(
        hass,
        DOMAIN,
        f"{STILL_PAIRED}_{entry.unique_id}",
        is_fixable=True,
        is_persistent=True,
        severity=ir.IssueSeverity.WARNING,
        translation_key=STILL_PAIRED,
        translation_placeholders={"name": entry.title, "command": UNPAIR_COMMAND},
    )


@callback
def async_clear_still_paired_issue(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Withdraw what `async_report_still_paired_issue` has shown, because the satellite is paired here again."""
    ir.async_delete_issue(hass, DOMAIN, f"{STILL_PAIRED}_{entry.unique_id}")


@callback
def async_report_clock_issue(hass: HomeAssistant, entry: ConfigEntry, ahead: timedelta) -> None:
    """Show that the clocks of a satellite and of Home Assistant differ."""
    ir.async_create_issue(
        hass,
        DOMAIN,
        f"{CLOCK_WRONG}_{entry.entry_id}",
        is_fixable=False,
        severity=ir.IssueSeverity.WARNING,
        translation_key=CLOCK_BEHIND if ahead < timedelta(0) else CLOCK_AHEAD,
        translation_placeholders={"name": entry.title, "difference": _rounded(abs(ahead))},
    )


@callback
def async_clear_clock_issue(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Withdraw what `async_report_clock_issue` has shown."""
    ir.async_delete_issue(hass, DOMAIN, f"{CLOCK_WRONG}_{entry.entry_id}")


def _rounded(duration: timedelta) -> str:
    """Return a duration in its largest unit, by symbols that need no translation."""
    for symbol, unit in (("d", timedelta(days=1)), ("h", timedelta(hours=1)), ("min", timedelta(minutes=1))):
        if duration >= unit:
            return f"{round(duration / unit)} {symbol}"
    return f"{round(duration.total_seconds())} s"


@callback
def async_report_recipient_issue(
    hass: HomeAssistant, subentry_id: str, *, name: str, target: str, through: str, obstacle: str
) -> None:
    """Show that a recipient does not get alerts.

    Args:
        hass: Home Assistant.
        subentry_id: Of the recipient.
        name: How the owner calls it.
        target: What the owner has chosen.
        through: What exactly failed: the same, or a member of that group.
        obstacle: Why, a key of `RECIPIENT_ISSUES`.
    """
    ir.async_create_issue(
        hass,
        DOMAIN,
        f"{_RECIPIENT_PREFIX}{subentry_id}",
        data={"target": target},
        is_fixable=False,
        severity=ir.IssueSeverity.ERROR,
        translation_key=RECIPIENT_ISSUES[obstacle],
        translation_placeholders={"name": name, "target": through},
    )


@callback
def async_clear_recipient_issue(hass: HomeAssistant, subentry_id: str) -> None:
    """Withdraw what `async_report_recipient_issue` has shown."""
    ir.async_delete_issue(hass, DOMAIN, f"{_RECIPIENT_PREFIX}{subentry_id}")


@callback
def async_forget_recipient_issues(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Withdraw what was shown of recipients that the owner has since removed or changed."""
    for domain, issue_id in list(ir.async_get(hass).issues):
        if domain != DOMAIN or not issue_id.startswith(_RECIPIENT_PREFIX):
            continue
        subentry = entry.subentries.get(issue_id.removeprefix(_RECIPIENT_PREFIX))
        issue = ir.async_get(hass).async_get_issue(DOMAIN, issue_id)
        shown = issue.data if issue is not None else None
        if subentry is None or (shown and shown["target"] != subentry.data[CONF_TARGET]):
            ir.async_delete_issue(hass, DOMAIN, issue_id)


@callback
def async_report_walk_issue(hass: HomeAssistant) -> None:
    """Remind of a walk test."""
    ir.async_create_issue(
        hass,
        DOMAIN,
        WALK_TEST_DUE,
        is_fixable=False,
        severity=ir.IssueSeverity.WARNING,
        translation_key=WALK_TEST_DUE,
    )


@callback
def async_clear_walk_issue(hass: HomeAssistant) -> None:
    """Withdraw the reminder."""
    ir.async_delete_issue(hass, DOMAIN, WALK_TEST_DUE)
