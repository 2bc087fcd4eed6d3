"""Which addresses are announced: of real interfaces in a network of its own, and of what the kernel says of them."""

from pathlib import Path
import shutil
import subprocess
import sys

import pytest

from echonet_satellite.addresses import local_addresses, multicast_addresses
from echonet_satellite.hardware import (
    MAX_NAME_LENGTH,
    SERVICE_PROGRAM,
    default_name,
    installation,
    what_to_type,
)
from echonet_satellite.protocol import Installation

SATELLITE = Path(__file__).parents[2] / "satellite"


def why_no_network() -> str | None:
    """Why no network can be made here."""
    for tool in ("unshare", "ip"):
        if shutil.which(tool) is None:
            return f"the program `{tool}` is missing"
    for command in (
        ["unshare", "--net", "ip", "link", "add", "b0", "type", "bridge"],
        ["unshare", "--net", "ip", "tuntap", "add", "t0", "mode", "tun"],
    ):
        if subprocess.run(command, capture_output=True, check=False).returncode != 0:
            return "no right to make interfaces in a network of its own"
    return None


def addresses_with(*interfaces: str) -> list[str]:
    """Return what a satellite would announce in a network that these commands of `ip` make."""
    # Without its own /sys a process sees the interfaces of the network that it came from.
    look = "from echonet_satellite.addresses import *; a = local_addresses(); print(*a); print(*multicast_addresses(a))"
    made = "\n".join(f"ip {line}" for line in interfaces)
    script = f"set -e\nmount -t sysfs sysfs /sys\n{made}\nexec {sys.executable} -c '{look}'"
    done = subprocess.run(
        ["unshare", "--net", "--mount", "sh", "-c", script],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "PYTHONPATH": str(SATELLITE)},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


needs_network = pytest.mark.skipif(why_no_network() is not None, reason=str(why_no_network()))

LAN = (
    "link add eth0 type veth peer name cable",
    "addr add 192.168.7.20/24 dev eth0",
    "addr add fd00::20/64 dev eth0",
    "link set eth0 up",
    "link set cable up",
)
CONTAINERS = (
    "link add docker0 type bridge",
    "addr add 172.17.0.1/16 dev docker0",
    "link set docker0 up",
    # Whatever its name: a bridge into which no cable leads.
    "link add house type bridge",
    "addr add 10.99.0.1/24 dev house",
    "link set house up",
)
VPN = (
    "tuntap add wg0 mode tun",
    "addr add 10.8.0.2/24 dev wg0",
    "link set wg0 up",
)


@needs_network
def test_docker_and_a_vpn_do_not_hide_the_house() -> None:
    announced, multicast = addresses_with(*CONTAINERS, *VPN, *LAN)

    assert announced.split() == ["192.168.7.20", "fd00::20", "10.8.0.2"]
    assert multicast.split() == ["192.168.7.20", "fd00::20"]


@needs_network
def test_where_there_is_only_a_vpn_it_is_announced_in_it() -> None:
    assert addresses_with(*CONTAINERS, *VPN) == ["10.8.0.2", "10.8.0.2"]


@needs_network
def test_the_interface_with_the_way_out_goes_first() -> None:
    second = (
        "link add eth1 type veth peer name cable1",
        "addr add 10.0.0.2/24 dev eth1",
        "link set eth1 up",
        "link set cable1 up",
        "route add default via 192.168.7.1 dev eth0",
    )

    announced, _ = addresses_with(*LAN, *second)

    assert announced.split()[0] == "192.168.7.20"


def test_addresses_are_reachable_ones() -> None:
    assert not any(address.startswith(("127.", "::1", "fe80:")) for address in local_addresses())
    assert multicast_addresses(["203.0.113.1"]) == ("203.0.113.1",)


@pytest.mark.parametrize("host", ["raspberrypi", "RaspberryPi.local", "localhost", "4f3c2b1a0d9e", ""])
def test_two_satellites_called_raspberrypi_are_told_apart(host: str) -> None:
    hardware = "Raspberry Pi 4 Model B Rev 1.4"

    names = {default_name(digits * 8, hostname=host, hardware=hardware) for digits in ("4c2a", "91f0")}

    assert names == {"Raspberry Pi 4 4C2A", "Raspberry Pi 4 91F0"}


def test_a_machine_that_somebody_named_keeps_its_name() -> None:
    assert default_name("4c2a" * 8, hostname="kitchen.lan", hardware="Linux x86_64") == "kitchen 4C2A"
    assert default_name("4c2a" * 8, hostname="debian", hardware="Linux x86_64") == "EchoNet 4C2A"
    assert default_name(
        "4c2a" * 8, hostname="raspberrypi", hardware="Raspberry Pi Zero 2 W Rev 1.0"
    ).startswith("Raspberry Pi Zero 2 W 4")
    assert len(default_name("4c2a" * 8, hostname="x" * 64)) == MAX_NAME_LENGTH


def test_the_kind_of_installation(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    service = {"INVOCATION_ID": "1", "STATE_DIRECTORY": "/var/lib/echonet-satellite"}

    assert installation({}, (mark,)) is Installation.USER
    assert installation({"INVOCATION_ID": "a terminal of GNOME has one"}, (mark,)) is Installation.USER
    assert installation(service, (mark,)) is Installation.SERVICE
    assert installation({}, (mark,), SERVICE_PROGRAM) is Installation.COMMAND
    mark.touch()
    assert installation({}, (mark,)) is Installation.CONTAINER
    # In a container that systemd runs in, its owner types what works there, and not what enters it.
    assert installation(service, (mark,)) is Installation.SERVICE
    assert installation({"SUPERVISOR_TOKEN": "secret"}, (mark,)) is Installation.APP


def test_what_is_said_to_be_typed_works_where_it_is_said(tmp_path: Path) -> None:
    """`pair` without sudo, and `run` beside a service, were advised to whoever had installed the service."""
    assert what_to_type("pair", SERVICE_PROGRAM, tmp_path) == "sudo echonet-satellite pair"
    assert what_to_type("run", SERVICE_PROGRAM, tmp_path) == "sudo systemctl restart echonet-satellite"
    assert what_to_type("run", Path("/home/pi/echonet-satellite"), tmp_path) == "echonet-satellite run"
    # Where no systemd runs, there is no service to restart, and no state of another user.
    assert what_to_type("run", SERVICE_PROGRAM, tmp_path / "none") == "echonet-satellite run"
    assert what_to_type("pair", SERVICE_PROGRAM, tmp_path / "none") == "echonet-satellite pair"
