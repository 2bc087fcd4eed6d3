"""The network between Home Assistant and the satellite: a closed one of our own, or this machine's."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
import os
from pathlib import Path
import shutil
import socket
import subprocess
import sys

from .errors import HouseError
from .processes import Program

_NETWORK = "10.77.0"
_SCRIPTS = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a program runs: what to put before its command, and the address it has there."""

    prefix: tuple[str, ...]
    address: str

    def command(self, *command: str | Path) -> list[str]:
        """The command that runs `command` in this place."""
        return [*self.prefix, *map(str, command)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """The two places, and whether nothing can leave them."""

    home: Place
    satellite: Place
    closed: bool
    relay_log: Path

    @asynccontextmanager
    async def reachable(self, port: int) -> AsyncIterator[int]:
        """Make `port` of the home's 127.0.0.1 reachable at this machine's 127.0.0.1; yields the port there."""
        if not self.closed:
            yield port
            return
        here = free_port(port)
        namespace = self.home.prefix[1].removeprefix("--net=")
        relay = await Program.start(
            "the relay",
            [sys.executable, "-m", "house.relay", str(here), namespace, str(port)],
            log=self.relay_log,
            environment=os.environ,
            folder=_SCRIPTS,
        )
        try:
            yield here
        finally:
            await relay.stop()


# What keeps a port ours from the moment it is chosen until a program listens there, some seconds later.
_claims: list[socket.socket] = []


def free_port(preferred: int) -> int:
    """Return `preferred` if nobody listens there or is about to, else a port that is free."""
    for port in (preferred, 0):
        if port and not _claim(port):
            continue
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            found: int = probe.getsockname()[1]
            return found
    raise HouseError("no port is free on 127.0.0.1: close some programs and try again")


def _claim(port: int) -> bool:
    """Claim a port among the houses of this machine; the kernel gives it back when this process ends."""
    claim = socket.socket(socket.AF_UNIX)
    try:
        claim.bind(f"\0echonet-house-{port}")
    except OSError:
        claim.close()
        return False
    _claims.append(claim)
    return True


def why_not_closed() -> str | None:
    """Why this machine cannot have a closed network, or None where it can."""
    if os.geteuid() != 0:
        return "only root can make network namespaces"
    for tool in ("ip", "nsenter", "unshare"):
        if shutil.which(tool) is None:
            return f"the program `{tool}` is missing"
    if subprocess.run(["unshare", "--net", "true"], capture_output=True, check=False).returncode != 0:
        return "this system does not let root make network namespaces"
    return None


@asynccontextmanager
async def closed_network(folder: Path) -> AsyncIterator[Network]:
    """Make two network namespaces joined by a cable, with no way out.

    Home Assistant never uses loopback for mDNS, so one namespace would not do. They vanish with the two processes that
    hold them, however we end.
    """
    holders = [await _hold_namespace(folder / "network.log") for _ in range(2)]
    try:
        namespaces = [f"/proc/{holder.pid}/ns/net" for holder in holders]
        prefixes = [("nsenter", f"--net={namespace}") for namespace in namespaces]
        _run("ip", "link", "add", "eth0", "netns", str(holders[0].pid), "type", "veth",
             "peer", "name", "eth0", "netns", str(holders[1].pid))  # fmt: skip
        for number, prefix in enumerate(prefixes, start=1):
            for arguments in (
                ("link", "set", "lo", "up"),
                ("addr", "add", f"{_NETWORK}.{number}/24", "dev", "eth0"),
                ("link", "set", "eth0", "up"),
            ):
                _run(*prefix, "ip", *arguments)
        for prefix in prefixes:
            # With a route for multicast, zeroconf and Home Assistant's choice of a source address work without a
            # default route; with an unreachable one, a look-up of an internet host fails at once.
            _run(*prefix, "ip", "route", "add", "224.0.0.0/4", "dev", "eth0")
            _run(*prefix, "ip", "route", "add", "unreachable", "default")
        home, satellite = (
            Place(prefix=prefix, address=f"{_NETWORK}.{number}")
            for number, prefix in enumerate(prefixes, start=1)
        )
        yield Network(home=home, satellite=satellite, closed=True, relay_log=folder / "relay.log")
    finally:
        for holder in holders:
            await holder.stop()


def own_network(folder: Path) -> Network:
    """Use the network that this machine is in; others in it can see the satellite, as they would a bought one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("224.0.0.251", 5353))
        except OSError:
            raise HouseError(
                "this machine is in no network, and zeroconf needs one: connect it, or run this as root"
            ) from None
        address: str = probe.getsockname()[0]
    place = Place(prefix=(), address=address)
    return Network(home=place, satellite=place, closed=False, relay_log=folder / "relay.log")


@asynccontextmanager
async def best_network(folder: Path) -> AsyncIterator[Network]:
    """A closed network where that is possible, else this machine's own."""
    if why_not_closed():
        yield own_network(folder)
    else:
        async with closed_network(folder) as network:
            yield network


async def _hold_namespace(log: Path) -> Program:
    holder = await Program.start(
        "a network namespace",
        ["unshare", "--net", "sleep", "infinity"],
        log=log,
        environment=os.environ,
    )
    ours = os.stat("/proc/self/ns/net").st_ino  # noqa: PTH116  a symbolic link into the kernel
    for _ in range(500):
        if not holder.running:
            raise holder.failure()
        if os.stat(f"/proc/{holder.pid}/ns/net").st_ino != ours:  # noqa: PTH116
            return holder
        await asyncio.sleep(0.01)
    raise HouseError("the kernel made no network namespace within 5 s: try again")


def _run(*command: str) -> None:
    done: subprocess.CompletedProcess[str] = subprocess.run(
        _absolute(command), capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise HouseError(f"`{' '.join(command)}` failed: {done.stderr.strip()}")


def _absolute(command: Sequence[str]) -> list[str]:
    # sbin is not on every PATH.
    return [
        shutil.which(command[0], path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin") or command[0],
        *command[1:],
    ]
