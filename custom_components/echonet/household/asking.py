"""Asks something of the household: now, or where it is being loaded, as soon as it can be asked."""

import asyncio
from collections.abc import Callable
from typing import Final

from homeassistant.core import CoreState, HomeAssistant, callback
from homeassistant.exceptions import ServiceValidationError
from homeassistant.helpers.dispatcher import async_dispatcher_connect

from ..const import DOMAIN
from ..helpers import async_get_household
from .runtime import SIGNAL_LISTENING, Household

# To load the household anew takes less, also where a phone is being told and has to be waited for.
PATIENCE_S: Final = 60.0


async def async_ask[T](hass: HomeAssistant, ask: Callable[[Household], T]) -> T:
    """Call `ask` with the household, and return what it returns.

    While the household is loaded anew, somebody may answer an alert: that counts before anything else is told.

    Raises:
        ServiceValidationError: there is no household.
    """
    entry = async_get_household(hass)
    if entry is None or entry.disabled_by is not None:
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="no_household")
    household = getattr(entry, "runtime_data", None)
    if isinstance(household, Household) and household.listening:
        return ask(household)
    if not entry.setup_lock.locked() and hass.state is CoreState.running:
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="no_household")
    answer: asyncio.Future[T] = hass.loop.create_future()

    @callback
    def on_listening(household: Household) -> None:
        if not answer.done():
            try:
                answer.set_result(ask(household))
            except Exception as err:  # noqa: BLE001  # it belongs to whoever asks
                answer.set_exception(err)

    cancel = async_dispatcher_connect(hass, SIGNAL_LISTENING, on_listening)
    try:
        async with asyncio.timeout(PATIENCE_S):
            return await answer
    except TimeoutError as err:
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="no_household") from err
    finally:
        cancel()
