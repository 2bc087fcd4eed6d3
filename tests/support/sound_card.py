"""A sound card without hardware: a PulseAudio server of its own, whose microphones hear what is played to them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
import os
from pathlib import Path
import shutil
import signal
import subprocess
import tempfile
import time

import pytest

_ARRAY = "front-left,front-right,rear-left,rear-right"


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundCard:
    """A running server, and the environment in which programs use it.

    What is played to the sink `vmic` is heard by the microphone `mic`, which is the default; what is played to `array`
    by `array.monitor`, which has four channels, and to `stereo` by `stereo.monitor`, which has two.
    """

    environment: dict[str, str]
    server: subprocess.Popen[bytes]

    def play(self, path: Path, sink: str = "vmic") -> None:
        """Play a file into a microphone, to its end."""
        options = [f"--device={sink}"]
        if sink == "array":
            options.append(f"--channel-map={_ARRAY}")
        self._run("paplay", *options, str(path))

    def choose(self, microphone: str) -> None:
        """Make another microphone the default."""
        self._run("pactl", "set-default-source", microphone)

    def freeze(self) -> None:
        """Let the server hang: it is there, and does nothing any more."""
        self.server.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self.server.send_signal(signal.SIGCONT)

    def _run(self, *command: str) -> None:
        subprocess.run(command, env=os.environ | self.environment, check=True, capture_output=True)


@contextmanager
def sound_card() -> Iterator[SoundCard]:
    """Run the server."""
    for program in ("pulseaudio", "paplay", "pactl"):
        if shutil.which(program) is None:
            pytest.skip(
                f"needs a virtual sound card: install pulseaudio and pulseaudio-utils ({program} is missing)"
            )
    with tempfile.TemporaryDirectory(prefix="sound-") as folder:
        socket = Path(folder, "native")
        environment = {
            "HOME": folder,
            "XDG_RUNTIME_DIR": folder,
            "PULSE_RUNTIME_PATH": folder,
            "PULSE_SERVER": f"unix:{socket}",
        }
        server = subprocess.Popen(
            [
                "pulseaudio",
                *("-n", "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=false"),
                *("-L", f"module-native-protocol-unix auth-anonymous=1 socket={socket}"),
                *("-L", "module-null-sink sink_name=vmic rate=16000 channels=1"),
                *("-L", "module-remap-source master=vmic.monitor source_name=mic"),
                *("-L", f"module-null-sink sink_name=array rate=16000 channels=4 channel_map={_ARRAY}"),
                *("-L", "module-null-sink sink_name=stereo rate=16000 channels=2"),
            ],
            env=os.environ | environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        card = SoundCard(environment=environment, server=server)
        try:
            deadline = time.monotonic() + 30
            while not _answers(environment):
                if server.poll() is not None or time.monotonic() > deadline:
                    pytest.skip("pulseaudio does not start here")
                time.sleep(0.1)
            card.choose("mic")
            yield card
        finally:
            card.thaw()
            server.terminate()
            server.wait(10)


def _answers(environment: dict[str, str]) -> bool:
    asked = subprocess.run(["pactl", "info"], env=os.environ | environment, capture_output=True, check=False)
    return asked.returncode == 0
