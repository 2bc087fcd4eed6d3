"""Teaches a satellite sounds of the home, and lets it forget them: what *Configure* opens for a satellite."""

import asyncio
from typing import Any, Final

from homeassistant.config_entries import ConfigEntryState, ConfigFlowResult, OptionsFlow
from homeassistant.const import CONF_NAME
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import selector
import probatio

from .coordinator import SatelliteCoordinator
from .plain import plain_name
from .protocol import Taught, TaughtSound
from .taught_sounds import async_forget_sounds, async_teach, is_sound_name

CONF_AGAIN: Final = "again"
CONF_SOUNDS: Final = "sounds"
# More recordings make a sound better known, and after so many hardly.
ENOUGH: Final = 5


class SoundsFlow(OptionsFlow):
    """Everything happens on the satellite; the options of the entry stay as they are."""

    def __init__(self) -> None:
        """Begin without a sound."""
        self._name = ""
        self._count = 0
        self._taught: asyncio.Task[Taught] | None = None

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Look whether the satellite can be taught."""
        if self.config_entry.state is not ConfigEntryState.LOADED:
            return self.async_abort(reason="satellite_away")
        if not self._coordinator.data.welcome.learns:
            return self.async_abort(reason="does_not_learn")
        return await self.async_step_sounds()

    async def async_step_sounds(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask what to do; who has taught nothing can only teach."""
        options = ["teach", "forget"] if self._sounds else ["teach"]
        return self.async_show_menu(step_id="sounds", menu_options=options)

    async def async_step_teach(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for a name: one of those that are there, for more recordings, or a new one."""
        errors = {}
        known = {plain_name(sound.name): sound for sound in self._sounds}
        if user_input is not None:
            given = " ".join(user_input[CONF_NAME].split())
            if is_sound_name(given):
                sound = known.get(given)
                self._name, self._count = (given, 0) if sound is None else (sound.name, sound.examples)
                return await self.async_step_listen()
            errors[CONF_NAME] = "sound_name"
        choice = selector.SelectSelector(
            selector.SelectSelectorConfig(options=list(known), custom_value=True)
        )
        field = choice if known else selector.TextSelector()
        return self.async_show_form(
            step_id="teach", data_schema=probatio.Schema({probatio.Required(CONF_NAME): field}), errors=errors
        )

    async def async_step_listen(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Show that it listens, until the recording is learned."""
        if self._taught is None:
            self._taught = self.hass.async_create_task(async_teach(self._coordinator, self._name))
        if not self._taught.done():
            return self.async_show_progress(
                step_id="listen",
                progress_action="listen",
                progress_task=self._taught,
                description_placeholders={CONF_NAME: plain_name(self._name)},
            )
        return self.async_show_progress_done(next_step_id="recorded")

    async def async_step_recorded(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Say what became of a recording, and ask for the next."""
        # Where the recording was over at once, Home Assistant passes on the answer that it was asked for by.
        if user_input is not None and self._taught is None:
            return await (self.async_step_listen() if user_input[CONF_AGAIN] else self._async_end())
        taught, self._taught = self._taught, None
        errors: dict[str, str] = {}
        try:
            if taught is not None:
                self._count = (await taught).examples
                errors = {"base": f"teach_{hint}"} if (hint := taught.result().hint) else {}
        except HomeAssistantError as err:
            errors["base"] = err.translation_key or "teach_failed"
        another = probatio.Required(CONF_AGAIN, default=bool(errors) or self._count < ENOUGH)
        return self.async_show_form(
            step_id="recorded",
            data_schema=probatio.Schema({another: selector.BooleanSelector()}),
            errors=errors,
            description_placeholders={CONF_NAME: plain_name(self._name), "count": str(self._count)},
        )

    async def async_step_forget(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask which sounds to forget."""
        errors = {}
        if user_input is not None:
            try:
                await async_forget_sounds(self._coordinator, user_input[CONF_SOUNDS])
            except HomeAssistantError as err:
                errors["base"] = err.translation_key or "not_connected"
            else:
                return await self._async_end()
        options = [
            selector.SelectOptionDict(value=sound.id, label=plain_name(sound.name)) for sound in self._sounds
        ]
        choice = selector.SelectSelector(selector.SelectSelectorConfig(options=options, multiple=True))
        return self.async_show_form(
            step_id="forget",
            data_schema=probatio.Schema({probatio.Required(CONF_SOUNDS): choice}),
            errors=errors,
        )

    @property
    def _coordinator(self) -> SatelliteCoordinator:
        coordinator: SatelliteCoordinator = self.config_entry.runtime_data
        return coordinator

    @property
    def _sounds(self) -> tuple[TaughtSound, ...]:
        return self._coordinator.data.learning.sounds

    async def _async_end(self) -> ConfigFlowResult:
        return self.async_create_entry(data=dict(self.config_entry.options))
