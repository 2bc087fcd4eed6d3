"""Lets the owner decide about a satellite whose certificate has changed, and confirm what is left to do by hand."""

from homeassistant.components.repairs import ConfirmRepairFlow, RepairsFlow, RepairsFlowResult
from homeassistant.core import HomeAssistant
import probatio

from .issues import STILL_PAIRED


class PairAgainFlow(RepairsFlow):
    """Asks for a new pairing; the certificate is accepted only if the satellite then proves that it knows the code."""

    def __init__(self, entry_id: str) -> None:
        """Remember which satellite is meant."""
        self._entry_id = entry_id

    async def async_step_init(self, user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Begin with the question."""
        return await self.async_step_confirm()

    async def async_step_confirm(self, user_input: dict[str, str] | None = None) -> RepairsFlowResult:
        """Start the pairing once the owner has confirmed."""
        entry = self.hass.config_entries.async_get_entry(self._entry_id)
        if entry is None:
            return self.async_abort(reason="satellite_removed")
        if user_input is None:
            return self.async_show_form(
                step_id="confirm",
                data_schema=probatio.Schema({}),
                description_placeholders={"name": entry.title},
            )
        entry.async_start_reauth(self.hass)
        return self.async_create_entry(data={})


async def async_create_fix_flow(
    hass: HomeAssistant, issue_id: str, data: dict[str, str | int | float | None] | None
) -> RepairsFlow:
    """Return the flow of an issue that can be fixed."""
    if issue_id.startswith(STILL_PAIRED):
        return ConfirmRepairFlow()
    return PairAgainFlow(str((data or {}).get("entry_id")))
