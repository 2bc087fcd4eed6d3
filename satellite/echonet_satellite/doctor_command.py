"""`echonet-satellite doctor`: looks at everything that a satellite needs, and says what to do about what is amiss."""

import argparse
import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from importlib.util import find_spec
import json
import os
from pathlib import Path
import re
import shutil
import subprocess
import sys
from typing import Final

from .addresses import local_addresses
from .command_socket import SOCKET_NAME
from .config import Effective
from .errors import EchonetError
from .hardware import SERVICE_STATE, hardware_name, what_to_type
from .options import effective, state_directory
from .protocol import DEFAULT_PORT
from .sensor import SensorError, SoundSensor
from .source_config import SourceConfig

_LEAST_FREE_BYTES: Final = 100 * 1024 * 1024
# What install.sh has put there.
_SERVICE: Final = Path("/etc/systemd/system/echonet-satellite.service")
_SYNCHRONIZED: Final = Path("/run/systemd/timesync/synchronized")


class Verdict(StrEnum):
    """What a check has found."""

    FINE = "fine"
    HINT = "hint"
    TROUBLE = "TROUBLE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The result of one check: what is so, and what to do about it."""

    about: str
    verdict: Verdict
    text: str
    advice: str = ""


def run(args: argparse.Namespace) -> int:
    """Look at everything, print it, and return 1 where something keeps the satellite from its work."""
    found = effective(args)
    findings: list[Finding] = []
    print(f"{hardware_name()}, Python {sys.version.split()[0]}\n")
    for check in CHECKS:
        for finding in check(found):
            print(_line(finding), flush=True)
            findings.append(finding)
    troubles = sum(finding.verdict is Verdict.TROUBLE for finding in findings)
    print(
        f"\n{troubles} of these keep{'s' if troubles == 1 else ''} the satellite from its work: see the arrows."
        if troubles
        else "\nThe satellite has what it needs."
    )
    return 1 if troubles else 0


def _line(finding: Finding) -> str:
    line = f"{finding.verdict.value:>8}  {finding.about:<14} {finding.text}"
    return f"{line}\n{'':>25}-> {finding.advice}" if finding.advice else line


def _configuration(found: Effective) -> Iterable[Finding]:
    places = sorted({origin.rpartition(":")[0] for origin in found.origins.values() if ":" in origin})
    text = ", ".join(places) or "nothing is configured, so that the defaults hold"
    yield Finding(about="configuration", verdict=Verdict.FINE, text=text)


def _sound(found: Effective) -> Iterable[Finding]:
    for source in found.config.all_sources:
        yield from _source(source)


def _source(config: SourceConfig) -> Iterable[Finding]:
    if config.source != "microphone":
        # An address may hold a password.
        name = re.sub(r"//[^/]*@", "//", config.source)
        if "://" in config.source and find_spec("av") is None:
            from .audio.ffmpeg import how_to_install  # noqa: PLC0415 - only where it is missing

            yield Finding(
                about="sound",
                verdict=Verdict.TROUBLE,
                text=f"from {name}, for which PyAV is missing",
                advice=how_to_install(Path(sys.prefix)),
            )
            return
        yield Finding(about="sound", verdict=Verdict.FINE, text=f"from {name}, not from a microphone")
        return
    from .audio.microphone import list_microphones  # noqa: PLC0415 - it loads the sound library

    try:
        microphones = list_microphones()
    except EchonetError as err:
        yield Finding(about="sound", verdict=Verdict.TROUBLE, text=str(err))
        return
    if not microphones:
        yield Finding(
            about="sound",
            verdict=Verdict.TROUBLE,
            text="no microphone is connected",
            advice=_sound_advice(Path("/dev/snd")),
        )
        return
    names = ", ".join(item.name for item in microphones)
    wanted = config.device
    if wanted and not any(
        wanted in {str(item.index), item.name} or wanted in item.name for item in microphones
    ):
        yield Finding(
            about="sound",
            verdict=Verdict.TROUBLE,
            text=f"the configured microphone {wanted!r} is not there",
            advice=f"plug it in, or choose one of these with --device: {names}",
        )
        return
    yield Finding(about="sound", verdict=Verdict.FINE, text=names)


def _sound_advice(devices: Path) -> str:
    if not devices.is_dir():
        return "plug one in; `arecord -l` lists what the system sees. Until then, --source demo hears built-in sounds"
    if not os.access(next(devices.glob("control*"), devices), os.R_OK | os.W_OK):
        return "your user may not use sound: sudo usermod -aG audio $USER, then log in again"
    return "there is a sound card, and nothing that it can record from: plug in a microphone (`arecord -l`)"


def _sensor(found: Effective) -> Iterable[Finding]:
    config = found.config.sensor
    if config is None:
        # Most have none, and need none.
        return
    sensor = SoundSensor(config, lambda: None)
    try:
        sensor.open()
    except SensorError as err:
        yield Finding(
            about="sound sensor",
            verdict=Verdict.HINT,
            text=str(err),
            advice="where the satellite runs, it has the sensor to itself; else check the pin and its cable",
        )
        return
    sensor.close()
    yield Finding(
        about="sound sensor",
        verdict=Verdict.FINE,
        text=f"on GPIO{config.pin}; `echonet-satellite calibrate` shows its pulses",
    )


def _model(found: Effective) -> Iterable[Finding]:
    from .classifier import load_classifier  # noqa: PLC0415 - it loads the network

    try:
        card = load_classifier(found.config.model).card
    except EchonetError as err:
        yield Finding(about="model", verdict=Verdict.TROUBLE, text=str(err))
        return
    yield Finding(about="model", verdict=Verdict.FINE, text=f"{card.name} {card.version} is whole")


def _clock(_: Effective) -> Iterable[Finding]:
    synchronized = _is_synchronized()
    if synchronized is None:
        text = "nothing here tells whether it is set by the network"
        yield Finding(about="clock", verdict=Verdict.HINT, text=text)
    elif synchronized:
        yield Finding(about="clock", verdict=Verdict.FINE, text="is set by the network")
    else:
        yield Finding(
            about="clock",
            verdict=Verdict.HINT,
            text="is not set by the network, so that times in alerts may be wrong",
            advice="sudo timedatectl set-ntp true",
        )


def _is_synchronized() -> bool | None:
    if _SYNCHRONIZED.exists():
        return True
    try:
        done = subprocess.run(
            ["timedatectl", "show", "--property=NTPSynchronized", "--value"],
            capture_output=True,
            text=True,
            timeout=5,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return {"yes": True, "no": False}.get(done.stdout.strip())


def _network(found: Effective) -> Iterable[Finding]:
    addresses = local_addresses()
    port = found.config.port or DEFAULT_PORT
    if not addresses:
        yield Finding(
            about="network",
            verdict=Verdict.TROUBLE,
            text="this machine has no address in a network",
            advice="connect it by cable or radio (`ip address` shows what it has)",
        )
        return
    text = f"Home Assistant reaches it at {', '.join(addresses)}, port {port}"
    advice = "" if found.config.announce else "it is not announced: add it in Home Assistant by its address"
    verdict = Verdict.FINE if found.config.announce else Verdict.HINT
    yield Finding(about="network", verdict=verdict, text=text, advice=advice)


def _state(found: Effective) -> Path:
    state = state_directory(found.config)
    of_service = _SERVICE.exists() or os.path.lexists(SERVICE_STATE)
    return SERVICE_STATE if found.config.state is None and of_service and not state.exists() else state


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except PermissionError:
        return True


def _disk(found: Effective) -> Iterable[Finding]:
    state = _state(found)
    place = next((path for path in (state, *state.parents) if _exists(path)), Path("/"))
    try:
        free = shutil.disk_usage(place).free
        usable = os.access(place, os.W_OK | os.X_OK)
    except OSError:
        free, usable = 0, False
    if not usable:
        yield Finding(
            about="disk",
            verdict=Verdict.HINT,
            text=f"{state} belongs to another user, such as the service's",
            advice="look again as root: sudo echonet-satellite doctor",
        )
    elif free < _LEAST_FREE_BYTES:
        yield Finding(
            about="disk",
            verdict=Verdict.TROUBLE,
            text=f"{free // 2**20} MiB are free at {place}, too little to remember what is heard",
            advice="make room; `sudo du -xh / | sort -h | tail` shows what is large",
        )
    else:
        yield Finding(about="disk", verdict=Verdict.FINE, text=f"{free // 2**20} MiB are free at {place}")


def _pairing(found: Effective) -> Iterable[Finding]:
    state = _state(found)
    try:
        running = asyncio.run(_runs(state))
    except PermissionError:
        # It is another user's, as is what it is paired with.
        text, advice = "whether it runs, only root may see", "sudo echonet-satellite doctor"
        yield Finding(about="satellite", verdict=Verdict.HINT, text=text, advice=advice)
        return
    yield Finding(
        about="satellite",
        verdict=Verdict.FINE if running else Verdict.HINT,
        text="runs" if running else f"none runs with its state in {state}",
        advice="" if running else what_to_type("run"),
    )
    try:
        data = json.loads((state / "controllers.json").read_bytes())
        names = [str(item["name"]) for item in data["controllers"]]
    except FileNotFoundError:
        names = []
    except PermissionError:
        return
    except (OSError, ValueError, TypeError, KeyError):
        yield Finding(
            about="pairing",
            verdict=Verdict.TROUBLE,
            text=f"{state / 'controllers.json'} cannot be read",
            advice="remove it, start the satellite again, and pair anew",
        )
        return
    text = f"paired with {', '.join(names)}" if names else "no Home Assistant is paired yet"
    advice = "" if names else f"{what_to_type('pair')} shows a code; type it in Home Assistant"
    yield Finding(about="pairing", verdict=Verdict.FINE if names else Verdict.HINT, text=text, advice=advice)


async def _runs(state: Path) -> bool:
    try:
        _, writer = await asyncio.open_unix_connection(state / SOCKET_NAME)
    except PermissionError:
        raise
    except (OSError, ValueError):
        return False
    writer.close()
    return True


CHECKS: Final[tuple[Callable[[Effective], Iterable[Finding]], ...]] = (
    _configuration,
    _sound,
    _sensor,
    _model,
    _clock,
    _network,
    _disk,
    _pairing,
)
