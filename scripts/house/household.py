"""What an owner does in Home Assistant: pair the satellite that was discovered, say where it is, say whom to tell."""

import asyncio
from itertools import count
from typing import Any

from .api import Api
from .errors import HouseError

DOMAIN = "echonet"
DASHBOARD = "echonet-home"
# What the device of the household goes by.
HOUSEHOLD = "household"

_DISCOVERY_TIMEOUT_S = 60.0


async def discover(api: Api, satellite_id: str) -> str:
    """Wait until Home Assistant has discovered the satellite, and return the id of the flow that it began."""
    try:
        async with asyncio.timeout(_DISCOVERY_TIMEOUT_S):
            while True:
                for flow in await api.command("config_entries/flow/progress"):
                    if flow["handler"] == DOMAIN and flow["context"].get("unique_id") == satellite_id:
                        found: str = flow["flow_id"]
                        return found
                await asyncio.sleep(0.2)
    except TimeoutError:
        raise HouseError(
            f"Home Assistant has not discovered the satellite within {_DISCOVERY_TIMEOUT_S:.0f} s: "
            "is multicast blocked on this network?"
        ) from None


async def pair(api: Api, satellite_id: str, code: str) -> None:
    """Enter the code that the discovered satellite shows."""
    flow = await discover(api, satellite_id)
    form = await api.get(f"/api/config/config_entries/flow/{flow}")
    if form["type"] != "form":
        raise HouseError(f"Home Assistant shows no form for the satellite, but {form['type']}")
    result = await api.post(f"/api/config/config_entries/flow/{flow}", code=code)
    if result["type"] != "create_entry":
        raise HouseError(f"pairing did not succeed: {result.get('errors') or result.get('reason')}")


async def tell(api: Api, action: str) -> None:
    """Make a `notify` action a recipient of alerts."""
    path = "/api/config/config_entries/subentries/flow"
    handler = [await _entry(api), "recipient"]
    form = await api.post(path, handler=handler, show_advanced_options=False)
    result = await api.post(f"{path}/{form['flow_id']}", target=f"action:{action}")
    if result["type"] != "create_entry":
        raise HouseError(f"Home Assistant does not take {action} as a recipient: {result.get('errors')}")


async def tell_everything(api: Api) -> None:
    """Let each sound of every kind become an alert: at any hour, however unsure, and however soon after the last."""
    path = "/api/config/config_entries/options/flow"
    handler = await _entry(api)
    kinds: list[str] = []
    for number in count():
        menu = await api.post(path, handler=handler, show_advanced_options=False)
        flow = f"{path}/{menu['flow_id']}"
        form = await api.post(flow, next_step_id="kind")
        kinds = kinds or form["data_schema"][0]["selector"]["select"]["options"]
        form = await api.post(flow, kind=kinds[number])
        severity = next(field for field in form["data_schema"] if field["name"] == "severity")
        result = await api.post(
            flow,
            severity=severity["description"]["suggested_value"],
            when="always",
            cooldown=0,
            least_confidence=0,
            rooms=1,
        )
        if result["type"] != "create_entry":
            raise HouseError(f"Home Assistant does not take the cooldown: {result.get('errors')}")
        if number + 1 == len(kinds):
            return


async def device(api: Api, identifier: str) -> dict[str, Any]:
    """The device of a satellite, or of the household, in Home Assistant's registry."""
    for candidate in await api.command("config/device_registry/list"):
        if [DOMAIN, identifier] in candidate["identifiers"]:
            found: dict[str, Any] = candidate
            return found
    raise HouseError(f"Home Assistant has no device of EchoNet that is called {identifier}")


async def put_into_room(api: Api, satellite_id: str, area: str) -> None:
    """Say in which of Home Assistant's areas the satellite is."""
    found = await device(api, satellite_id)
    await api.command("config/device_registry/update", device_id=found["id"], area_id=area)


async def entities(api: Api, satellite_id: str) -> dict[str, str]:
    """Entity ids of a satellite by key: `connection`, `alarm`, `listening` and so on."""
    prefix = f"{satellite_id}-"
    return {
        entry["unique_id"].removeprefix(prefix): entry["entity_id"]
        for entry in await api.command("config/entity_registry/list")
        if entry["platform"] == DOMAIN and entry["unique_id"].startswith(prefix)
    }


async def wait_for_state(api: Api, entity_id: str, state: str, timeout_s: float = 30.0) -> dict[str, Any]:
    """Wait until an entity has this state, and return it."""
    seen: dict[str, Any] = {}
    try:
        async with asyncio.timeout(timeout_s):
            while True:
                seen = (await api.states()).get(entity_id, {})
                if seen.get("state") == state:
                    return seen
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise HouseError(
            f"{entity_id} is {seen.get('state')!r} after {timeout_s:.0f} s, not {state!r}"
        ) from None


async def clips_folder(api: Api, satellite_id: str) -> str:
    """Where the media browser has the clips of a satellite."""
    entry = (await device(api, satellite_id))["config_entry_id"]
    return f"media-source://{DOMAIN}/{entry}"


async def make_dashboard(api: Api) -> None:
    """Make a dashboard with the card of the satellite, and let Home Assistant begin with it."""
    await api.command(
        "lovelace/dashboards/create",
        url_path=DASHBOARD,
        title="EchoNet",
        mode="storage",
        show_in_sidebar=True,
    )
    await api.command(
        "lovelace/config/save",
        url_path=DASHBOARD,
        config={"views": [{"title": "Home", "cards": [{"type": "custom:echonet-card"}]}]},
    )
    await api.command("frontend/set_user_data", key="core", value={"default_panel": DASHBOARD})


async def _entry(api: Api) -> str:
    for entry in await api.command("config_entries/get", domain=DOMAIN):
        if "recipient" in entry["supported_subentry_types"]:
            found: str = entry["entry_id"]
            return found
    raise HouseError("the integration made no household entry along with the first satellite")
