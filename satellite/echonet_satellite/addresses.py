"""The addresses of this machine under which another one in the house reaches it, the likeliest first."""

from collections.abc import Iterable
from dataclasses import dataclass
import ipaddress
from pathlib import Path
import re
from typing import Final

from ifaddr import get_adapters

_SYSFS: Final = Path("/sys/class/net")
_ROUTES: Final = Path("/proc/net/route")
# Names that programs give to the networks between a machine and its own containers and guests. Where the kernel
# tells (a bridge without a cable in it), the name is not asked.
_INSIDE: Final = re.compile(
    r"(docker|br-[0-9a-f]{12}$|veth|virbr|vnet|lxcbr|lxdbr|incusbr|podman|cni|flannel|cali|hassio|vmnet|vboxnet)"
)
_TUNNEL: Final = re.compile(r"(tun|tap|wg|tailscale|zt|ppp|ipsec|nordlynx|proton|utun|ham)")
_ARPHRD_ETHER: Final = 1
_ARPHRD_LOOPBACK: Final = 772

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Reachable:
    """One address, and whether it is the end of a tunnel (VPN), in which multicast goes nowhere."""

    address: str
    tunnel: bool


def local_addresses() -> tuple[str, ...]:
    """Return the addresses to announce: those of cables and radios, then those of tunnels, IPv4 before IPv6."""
    return tuple(item.address for item in reachable_addresses())


def multicast_addresses(addresses: Iterable[str]) -> tuple[str, ...]:
    """Return those of these addresses on which multicast makes sense; all where there is nothing but tunnels."""
    addresses = tuple(addresses)
    tunnels = {item.address for item in reachable_addresses() if item.tunnel}
    return tuple(address for address in addresses if address not in tunnels) or addresses


def reachable_addresses(sysfs: Path = _SYSFS, routes: Path = _ROUTES) -> tuple[Reachable, ...]:
    """Return the addresses of the interfaces on which others may be; those of a machine's own containers are none."""
    preferred = _default_interfaces(routes)
    found: dict[_Address, tuple[bool, int]] = {}
    for adapter in get_adapters():
        name = adapter.name.partition(":")[0]
        if _is_inside(name, sysfs):
            continue
        rank = preferred.index(name) if name in preferred else len(preferred)
        for item in adapter.ips:
            address = ipaddress.ip_address(item.ip if isinstance(item.ip, str) else item.ip[0])
            # A link-local IPv6 address means nothing without its interface, which an announcement cannot carry.
            if not address.is_loopback and not (address.version == 6 and address.is_link_local):
                found[address] = (_is_tunnel(name, sysfs), rank)
    ordered = sorted(found, key=lambda item: (*found[item], item.version, item.is_link_local, int(item)))
    return tuple(Reachable(address=str(item), tunnel=found[item][0]) for item in ordered)


def _is_inside(name: str, sysfs: Path) -> bool:
    """Tell whether an interface leads only to this machine's own containers and guests."""
    folder = sysfs / name
    if (folder / "bridge").is_dir():
        # A bridge with a cable or a radio in it is how a machine with guests is in the house's network.
        ports = folder / "brif"
        return not any((sysfs / port / "device").exists() for port in _names(ports))
    return bool(_INSIDE.match(name)) and not (folder / "device").exists()


def _is_tunnel(name: str, sysfs: Path) -> bool:
    folder = sysfs / name
    if (folder / "tun_flags").exists():
        return True
    try:
        kind = int((folder / "type").read_text(encoding="ascii"))
    except (OSError, ValueError):
        return bool(_TUNNEL.match(name))
    return kind not in {_ARPHRD_ETHER, _ARPHRD_LOOPBACK} or (
        bool(_TUNNEL.match(name)) and not (folder / "device").exists()
    )


def _default_interfaces(routes: Path) -> list[str]:
    """Return the interfaces with a way out of the house, the preferred one first."""
    try:
        rows = [line.split() for line in routes.read_text(encoding="ascii").splitlines()[1:]]
    except (OSError, UnicodeDecodeError):
        return []
    ways = [
        (int(row[6]), row[0]) for row in rows if len(row) > 6 and row[1] == "00000000" and row[6].isdigit()
    ]
    return [name for _, name in sorted(ways)]


def _names(folder: Path) -> list[str]:
    try:
        return [item.name for item in folder.iterdir()]
    except OSError:
        return []
