"""Measures the satellite: seconds from its start until it listens, and its resident memory.

usage: .venv/bin/python benchmarks/footprint.py [--seconds 30] [--model DIR]

The satellite hears PulseAudio's null sink through PyAudio, as it would hear a microphone.
"""

import argparse
import asyncio
from pathlib import Path
import sys
import tempfile
import time

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))

from echonet_satellite.protocol import EchonetError
from house.network import best_network
from house.satellite import satellite
from house.sound_card import DEVICE, sound_card


async def measure(seconds: float, options: list[str]) -> None:
    """Start a satellite, watch it for some seconds, print what was measured."""
    with tempfile.TemporaryDirectory(prefix="echonet-footprint-") as name:
        folder = Path(name)
        async with best_network(folder) as network, sound_card(folder) as card:
            started = time.monotonic()
            source = ("--source", "microphone", "--device", DEVICE, "--port", "0")
            async with satellite(folder, network, *source, *options, environment=card.environment) as running:
                await running.said("listening")
                listening = time.monotonic() - started
                while await card.listeners() == 0:
                    await asyncio.sleep(0.02)
                opened = time.monotonic() - started
                print(f"listens after             {listening:6.2f} s")
                print(f"microphone open after     {opened:6.2f} s")
                await asyncio.sleep(seconds)
                memory = _memory(running.program.pid)
                print(f"resident memory           {memory['VmRSS']:6.1f} MB after {seconds:.0f} s")
                print(f"highest resident memory   {memory['VmHWM']:6.1f} MB")


def _memory(pid: int) -> dict[str, float]:
    found: dict[str, float] = {}
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        key, _, value = line.partition(":")
        if key in ("VmRSS", "VmHWM"):
            found[key] = int(value.split()[0]) * 1024 / 1e6
    return found


def main() -> int:
    """Run the measurement and return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=30.0, help="how long to watch it (default: 30)")
    parser.add_argument("--model", metavar="DIR", help="another model than the built-in one")
    options = parser.parse_args()
    try:
        asyncio.run(measure(options.seconds, ["--model", options.model] if options.model else []))
    except EchonetError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; nothing was measured", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
