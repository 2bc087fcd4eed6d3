"""A sound card without hardware: a PulseAudio server of its own, whose microphone hears what is played to it."""

from collections.abc import Iterator
from contextlib import contextmanager
import os
from pathlib import Path
import shutil
import subprocess
import tempfile
import time

import pytest


@contextmanager
def sound_card() -> Iterator[dict[str, str]]:
    """Run the server, and give the environment in which programs use it."""
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
            ],
            env=os.environ | environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            deadline = time.monotonic() + 20
            while not _answers(environment):
                if server.poll() is not None or time.monotonic() > deadline:
                    pytest.skip("pulseaudio does not start here")
                time.sleep(0.1)
            yield environment
        finally:
            server.terminate()
            server.wait(10)


def play(environment: dict[str, str], path: Path) -> None:
    """Play a file into the microphone, to its end."""
    subprocess.run(["paplay", "--device=vmic", str(path)], env=os.environ | environment, check=True)


def _answers(environment: dict[str, str]) -> bool:
    asked = subprocess.run(["pactl", "info"], env=os.environ | environment, capture_output=True, check=False)
    return asked.returncode == 0
