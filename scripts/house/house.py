"""The whole house: network, Home Assistant, a phone, and a satellite that is paired, placed and told whom to alert."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from echonet_satellite.protocol import Sensitivity, Settings, SoundClass
from echonet_satellite.settings import SettingsStore
from echonet_satellite.state import prepare_directory

from . import household
from .home_assistant import HomeAssistant, home_assistant
from .network import Network
from .phone import ACTION, Phone, connect_phone
from .satellite import Satellite, satellite

AREA = "living_room"


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """Everything that runs, ready to hear."""

    home: HomeAssistant
    phone: Phone
    satellite: Satellite
    satellite_id: str
    entities: Mapping[str, str]

    async def listen(self) -> None:
        """Turn the satellite's listening switch on, as its owner would; until then it hears nothing."""
        await self.home.api.call("switch.turn_on", entity_id=self.entities["listening"])
        await household.wait_for_state(self.home.api, self.entities["listening"], "on")


@asynccontextmanager
async def house(
    folder: Path,
    network: Network,
    *options: str | Path,
    environment: Mapping[str, str] | None = None,
    progress: Callable[[str], None] = lambda _: None,
    before_pairing: Callable[[HomeAssistant], Awaitable[None]] | None = None,
) -> AsyncIterator[House]:
    """Start everything; `options` are those of `echonet-satellite run`, which starts with its switch off.

    `before_pairing` is awaited when Home Assistant has discovered the satellite and does not know it yet.
    """
    _start_deaf(folder / "satellite")
    progress("The satellite starts")
    # First what may fail because of its options, then what takes its time.
    async with satellite(folder, network, "--port", "0", *options, environment=environment) as running:
        satellite_id = (await running.said("listening"))["satellite_id"]
        code = (await running.said("pairing"))["code"]
        async with home_assistant(folder, network, progress) as home:
            phone = await connect_phone(home.api)
            progress("Home Assistant finds the satellite in the network by itself")
            await household.discover(home.api, satellite_id)
            if before_pairing is not None:
                await before_pairing(home)
            progress(f"and pairs with the code that it shows: {code}")
            await household.pair(home.api, satellite_id, code)
            await household.put_into_room(home.api, satellite_id, AREA)
            await household.tell(home.api, ACTION)
            entities = await household.entities(home.api, satellite_id)
            await household.wait_for_state(home.api, entities["connection"], "on")
            yield House(
                home=home, phone=phone, satellite=running, satellite_id=satellite_id, entities=entities
            )


def _start_deaf(state: Path) -> None:
    # Sounds that are over before anybody is paired would be heard in vain.
    prepare_directory(state)
    SettingsStore(state / "settings.json", tuple(SoundClass)).save(
        Settings(listening=False, sensitivity=dict.fromkeys(SoundClass, Sensitivity.MEDIUM))
    )
