"""Raises and clears the repair issues of satellites and recipients."""

from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from .client import CertificateChanged, ClientError
from .const import DOMAIN

CERTIFICATE_CHANGED = "certificate_changed"
UNSUPPORTED_PROTOCOL = "unsupported_protocol"
RECIPIENT_FAILED = "recipient_failed"


@callback
def async_report_connection_issue(hass: HomeAssistant, entry: ConfigEntry, err: ClientError) -> None:
    """Show what keeps a satellite away until somebody acts."""
    key = CERTIFICATE_CHANGED if isinstance(err, CertificateChanged) else UNSUPPORTED_PROTOCOL
    ir.async_create_issue(
        hass,
        DOMAIN,
        f"{key}_{entry.entry_id}",
        data={"entry_id": entry.entry_id},
        is_fixable=key == CERTIFICATE_CHANGED,
        severity=ir.IssueSeverity.ERROR,
        translation_key=key,
        translation_placeholders={"name": entry.title},
    )


@callback
def async_clear_connection_issues(hass: HomeAssistant, entry: ConfigEntry) -> None:
    """Withdraw what `async_report_connection_issue` has shown."""
    for key in (CERTIFICATE_CHANGED, UNSUPPORTED_PROTOCOL):
        ir.async_delete_issue(hass, DOMAIN, f"{key}_{entry.entry_id}")


@callback
def async_report_recipient_issue(hass: HomeAssistant, subentry_id: str, name: str, target: str) -> None:
    """Show that a recipient does not get alerts."""
    ir.async_create_issue(
        hass,
        DOMAIN,
        f"{RECIPIENT_FAILED}_{subentry_id}",
        is_fixable=False,
        severity=ir.IssueSeverity.ERROR,
        translation_key=RECIPIENT_FAILED,
        translation_placeholders={"name": name, "target": target},
    )


@callback
def async_clear_recipient_issue(hass: HomeAssistant, subentry_id: str) -> None:
    """Withdraw what `async_report_recipient_issue` has shown."""
    ir.async_delete_issue(hass, DOMAIN, f"{RECIPIENT_FAILED}_{subentry_id}")
