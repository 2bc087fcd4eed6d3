"""A sound card without hardware: PulseAudio with a loudspeaker that is wired to a microphone."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
import os
from pathlib import Path
import shutil

from .configuration import cache_folder
from .errors import HouseError
from .processes import Program

# The ALSA device under which PortAudio, and so the satellite, finds the microphone.
DEVICE = "pulse"

# What plays into this is heard by the microphone.
SPEAKER = "house_speaker"
_MICROPHONE = "house_microphone"
_START_TIMEOUT_S = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundCard:
    """What programs that use the card need in their environment, and a way to play into it."""

    environment: Mapping[str, str]

    async def play(self, recording: Path) -> None:
        """Play a recording from its beginning to its end."""
        await _run(self.environment, "paplay", f"--device={SPEAKER}", str(recording))

    async def listeners(self) -> int:
        """How many programs capture from the microphone."""
        lines = (await _run(self.environment, "pactl", "list", "short", "source-outputs")).splitlines()
        # The server's own modules have no client.
        return sum(line.split("\t")[2] != "-" for line in lines)


def why_no_sound_card() -> str | None:
    """Why this machine cannot have such a card, or None where it can."""
    for tool in ("pulseaudio", "paplay", "pactl"):
        if shutil.which(tool, path=_environment()["PATH"]) is None:
            return f"the program `{tool}` is missing: run scripts/setup test"
    return None


def _environment() -> dict[str, str]:
    """The environment in which PulseAudio is found: the machine's, else the one that scripts/setup has unpacked."""
    environment = {
        key: value for key, value in os.environ.items() if not key.startswith(("PULSE", "XDG", "DBUS"))
    }
    environment.setdefault("PATH", os.defpath)
    if shutil.which("pulseaudio") is not None:
        return environment
    usr = cache_folder() / "sound" / "usr"
    libraries = sorted({str(found.parent) for found in usr.glob("lib/**/*.so*")})
    plugins = next((found.parent for found in usr.glob("lib/**/libasound_module_pcm_pulse.so")), usr)
    return {
        **environment,
        "PATH": f"{usr / 'bin'}:{environment['PATH']}",
        "LD_LIBRARY_PATH": ":".join(libraries),
        "ALSA_PLUGIN_DIR": str(plugins),
    }


@asynccontextmanager
async def sound_card(folder: Path) -> AsyncIterator[SoundCard]:
    """Start a PulseAudio of its own in `folder`; the user's sound is not touched."""
    if reason := why_no_sound_card():
        raise HouseError(reason)
    home = folder / "pulse"
    home.mkdir(mode=0o700)
    environment = {
        **_environment(),
        "HOME": str(home),
        "XDG_RUNTIME_DIR": str(home),
        "PULSE_RUNTIME_PATH": str(home),
        "PULSE_SERVER": f"unix:{home}/native",
        "PULSE_SOURCE": _MICROPHONE,
    }
    if "ALSA_PLUGIN_DIR" in environment:
        environment["ALSA_CONFIG_PATH"] = str(_alsa_configuration(home))
    modules = [
        "module-native-protocol-unix auth-anonymous=1",
        f"module-null-sink sink_name={SPEAKER} rate=16000 channels=1",
        # A monitor is not listed as a microphone; the same under another name is.
        f"module-remap-source master={SPEAKER}.monitor source_name={_MICROPHONE}",
    ]
    # Its modules lie where it was built for, unless it was only unpacked.
    program = Path(str(shutil.which("pulseaudio", path=environment["PATH"])))
    modules_folder = next(program.parent.parent.glob("lib/**/module-native-protocol-unix.so")).parent
    command = ["pulseaudio", "-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=false"]
    command.append(f"--dl-search-path={modules_folder}")
    for module in modules:
        command += ["-L", module]
    server = await Program.start(
        "PulseAudio", command, log=folder / "pulseaudio.log", environment=environment
    )
    try:
        await _ready(server, environment)
        yield SoundCard(environment=environment)
    finally:
        await server.stop()


def _alsa_configuration(home: Path) -> Path:
    """Write what makes the device `pulse`, which a machine without a PulseAudio of its own does not know."""
    path = home / "asound.conf"
    path.write_text(
        "</usr/share/alsa/alsa.conf>\npcm.pulse {\n\ttype pulse\n}\nctl.pulse {\n\ttype pulse\n}\n", "ascii"
    )
    return path


async def _ready(server: Program, environment: Mapping[str, str]) -> None:
    async with asyncio.timeout(_START_TIMEOUT_S):
        while server.running:
            try:
                if _MICROPHONE in await _run(environment, "pactl", "list", "short", "sources"):
                    return
            except HouseError:
                pass  # It is not up yet.
            await asyncio.sleep(0.1)
    raise server.failure()


async def _run(environment: Mapping[str, str], *command: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=dict(environment),
    )
    try:
        output, complaint = await process.communicate()
    except asyncio.CancelledError:
        process.kill()
        raise
    if process.returncode != 0:
        raise HouseError(f"`{' '.join(command)}` failed: {complaint.decode(errors='replace').strip()}")
    return output.decode()
