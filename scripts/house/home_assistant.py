"""A real Home Assistant: starts it, takes it through onboarding, stops it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
import os
from pathlib import Path
import sys
from typing import Any

import aiohttp

from .api import Api
from .configuration import write_configuration
from .errors import HouseError
from .network import Network, free_port
from .processes import Program

OWNER = "Demo"
USERNAME = "demo"
PASSWORD = "demo"  # noqa: S105  shown to the user; it protects a house that is gone in a minute

_START_TIMEOUT_S = 180.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """What a browser needs to be logged in without typing."""

    url: str
    tokens: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeAssistant:
    """A Home Assistant that has started and knows its owner."""

    api: Api
    login: Login
    program: Program


@asynccontextmanager
async def home_assistant(
    folder: Path, network: Network, progress: Callable[[str], None]
) -> AsyncIterator[HomeAssistant]:
    """Start Home Assistant in `folder` and take it through onboarding; `progress` hears how far it is."""
    # In a namespace of its own every port is free.
    port = 8123 if network.closed else free_port(8123)
    configuration = folder / "config"
    write_configuration(configuration, port)
    program = await Program.start(
        "Home Assistant",
        network.home.command(sys.executable, "-m", "homeassistant", "--config", configuration, "--skip-pip"),
        log=folder / "home-assistant.log",
        environment=_environment(folder),
        folder=folder,
    )
    try:
        async with network.reachable(port) as here, aiohttp.ClientSession() as session:
            url = f"http://127.0.0.1:{here}"
            progress("Home Assistant starts, which takes the longest: 10 to 50 s")
            await _answers(session, url, program)
            progress("Home Assistant learns who lives here")
            token, login = await _onboard(session, url)
            async with Api.connect(session, url, token) as api:
                progress("Home Assistant loads its integrations")
                await _started(api, program)
                yield HomeAssistant(api=api, login=login, program=program)
    finally:
        await program.stop()


def _environment(folder: Path) -> dict[str, str]:
    # A home of its own, so that nothing of the user's is read or written.
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    environment["HOME"] = str(folder)
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment.get('PATH', '')}"
    return environment


async def _answers(session: aiohttp.ClientSession, url: str, program: Program) -> None:
    deadline = asyncio.get_running_loop().time() + _START_TIMEOUT_S
    while True:
        if not program.running:
            raise program.failure()
        try:
            async with session.get(f"{url}/api/onboarding") as response:
                if response.status == 200:
                    return
        except aiohttp.ClientError, OSError:
            pass
        if asyncio.get_running_loop().time() > deadline:
            raise HouseError(f"Home Assistant does not answer; what it said is in {program.log}")
        await asyncio.sleep(0.2)


async def _started(api: Api, program: Program) -> None:
    deadline = asyncio.get_running_loop().time() + _START_TIMEOUT_S
    while (await api.get("/api/config"))["state"] != "RUNNING":
        if not program.running:
            raise program.failure()
        if asyncio.get_running_loop().time() > deadline:
            raise HouseError(f"Home Assistant does not finish starting; what it said is in {program.log}")
        await asyncio.sleep(0.2)


async def _onboard(session: aiohttp.ClientSession, url: str) -> tuple[str, Login]:
    client = f"{url}/"

    async def post(path: str, token: str | None = None, **fields: Any) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        form = fields if path == "/auth/token" else None
        body = None if form else fields
        async with session.post(url + path, headers=headers, data=form, json=body) as response:
            if response.status >= 400:
                raise HouseError(f"onboarding failed at {path}: {(await response.text())[:300]}")
            answer: dict[str, Any] = await response.json()
            return answer

    user = await post(
        "/api/onboarding/users",
        name=OWNER,
        username=USERNAME,
        password=PASSWORD,
        client_id=client,
        language="en",
    )
    tokens = await post(
        "/auth/token", grant_type="authorization_code", code=user["auth_code"], client_id=client
    )
    token: str = tokens["access_token"]
    await post("/api/onboarding/core_config", token)
    await post("/api/onboarding/analytics", token)
    await post("/api/onboarding/integration", token, client_id=client, redirect_uri=client)
    return token, Login(url=url, tokens={**tokens, "hassUrl": url, "clientId": client})
