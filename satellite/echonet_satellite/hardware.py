"""What the satellite runs on and how it was installed, as its owner would call it."""

from collections.abc import Mapping
import os
from pathlib import Path
import platform
import re
import socket
import sys
from typing import Final

from .protocol import Installation

MAX_NAME_LENGTH: Final = 40
# install.sh puts the program of the service here, and the service keeps its state there.
SERVICE_PROGRAM: Final = Path("/opt/echonet-satellite")
SERVICE_STATE: Final = Path("/var/lib/echonet-satellite")

# There while systemd runs, which it does not in a chroot, in most containers, and where something else starts services.
_SYSTEMD: Final = Path("/run/systemd/system")
_DEVICE_TREE: Final = Path("/proc/device-tree/model")
_CONTAINER_MARKS: Final = (Path("/.dockerenv"), Path("/run/.containerenv"))
# Names that an installer gives, and so every second machine has.
_NO_NAMES: Final = frozenset(
    {"", "localhost", "raspberrypi", "raspberry", "raspbian", "debian", "ubuntu", "linux", "pi", "rpi"}
    | {"dietpi", "orangepi", "armbian", "homeassistant", "server", "host"}
)


def hardware_name() -> str:
    """Return the model of the board (a Raspberry Pi names itself), else the kind of processor."""
    try:
        model = _DEVICE_TREE.read_text(encoding="ascii", errors="ignore").strip("\0 \n")
    except OSError:
        model = ""
    name = model or f"{platform.system()} {platform.machine()}"
    return "".join(char for char in name if char.isprintable())[:100]


def default_name(satellite_id: str, *, hostname: str | None = None, hardware: str | None = None) -> str:
    """Return what a satellite is called whose owner has given it no name: no two are called alike.

    That is the name of its machine where somebody chose one, else what it is, and in any case four digits of its id.
    """
    host = (socket.gethostname() if hostname is None else hostname).partition(".")[0]
    # A container is called by its id, which says nothing.
    if host.lower() in _NO_NAMES or re.fullmatch("[0-9a-f]{12}", host):
        host = _short_hardware(hardware_name() if hardware is None else hardware)
    digits = satellite_id[:4].upper()
    return f"{host[: MAX_NAME_LENGTH - len(digits) - 1].strip()} {digits}"


def installation(
    environment: Mapping[str, str] = os.environ,
    marks: tuple[Path, ...] = _CONTAINER_MARKS,
    prefix: Path = Path(sys.prefix),
) -> Installation:
    """Return how this satellite was installed, which decides what its owner types."""
    if "SUPERVISOR_TOKEN" in environment:
        return Installation.APP
    # systemd sets both for a service that has a state directory; also in a container that it runs in.
    if "INVOCATION_ID" in environment and "STATE_DIRECTORY" in environment:
        return Installation.SERVICE
    if any(mark.exists() for mark in marks):
        return Installation.CONTAINER
    return Installation.COMMAND if prefix == SERVICE_PROGRAM else Installation.USER


def what_to_type(command: str, prefix: Path = Path(sys.prefix), systemd: Path = _SYSTEMD) -> str:
    """Return what the owner of the satellite that is installed at `prefix` types for one of its commands."""
    if prefix != SERVICE_PROGRAM or not systemd.is_dir():
        return f"echonet-satellite {command}"
    return (
        "sudo systemctl restart echonet-satellite"
        if command == "run"
        else f"sudo echonet-satellite {command}"
    )


def _short_hardware(hardware: str) -> str:
    """Return "Raspberry Pi 4" of "Raspberry Pi 4 Model B Rev 1.4", and "EchoNet" of what is no board."""
    found = re.match(r"(Raspberry Pi (?:Zero 2 W|Zero W|Zero|\d+|Compute Module \d))", hardware)
    return found[1] if found else "EchoNet"
