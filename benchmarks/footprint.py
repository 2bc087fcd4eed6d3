"""Measures the satellite: seconds from its start until it listens, and its resident memory.

usage: .venv/bin/python benchmarks/footprint.py [--seconds 30] [--model DIR]

The satellite hears PulseAudio's null sink through PyAudio, as it would hear a microphone.
"""

import argparse
import asyncio
from dataclasses import dataclass
from pathlib import Path
import sys
import tempfile
import time

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))

from echonet_satellite.protocol import EchonetError
from house.network import best_network
from house.satellite import satellite
from house.sound_card import DEVICE, sound_card


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What a process takes of a computer's memory, in MB.

    Attributes:
        resident: what of its pages is in memory (RSS), those that others use too included.
        highest: the most that was.
        share: the same as `resident`, but of a page that several use each has its part (PSS).
    """

    resident: float
    highest: float
    share: float

    def __add__(self, other: Memory) -> Memory:
        """Return what two processes take together."""
        return Memory(
            resident=self.resident + other.resident,
            highest=self.highest + other.highest,
            share=self.share + other.share,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Footprint:
    """What was seen of a satellite that hears a microphone.

    Attributes:
        listens_s: seconds from its start until it listened.
        opened_s: seconds from its start until it had opened the microphone.
        own: the memory of the satellite's process.
        everything: that, and the memory of the process that captures.
    """

    listens_s: float
    opened_s: float
    own: Memory
    everything: Memory


async def measure(seconds: float, options: list[str]) -> Footprint:
    """Start a satellite, watch it for some seconds, and return what was measured."""
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
                await asyncio.sleep(seconds)
                own = memory(running.program.pid)
                others = [memory(child) for child in children(running.program.pid)]
    return Footprint(listens_s=listening, opened_s=opened, own=own, everything=sum(others, own))


def memory(pid: int) -> Memory:
    """Return the memory of a process."""
    lines = [*_lines(pid, "status"), *_lines(pid, "smaps_rollup")]
    found = {
        key: value.split()[0] for key, _, value in (line.partition(":") for line in lines) if value.split()
    }
    resident, highest, share = (int(found[key]) * 1024 / 1e6 for key in ("VmRSS", "VmHWM", "Pss"))
    return Memory(resident=resident, highest=highest, share=share)


def children(pid: int) -> list[int]:
    """Return the processes that a process has started and that still run."""
    return [
        int(child)
        for task in Path(f"/proc/{pid}/task").iterdir()
        for child in (task / "children").read_text(encoding="ascii").split()
    ]


def _lines(pid: int, name: str) -> list[str]:
    try:
        return Path(f"/proc/{pid}/{name}").read_text(encoding="utf-8").splitlines()
    except OSError:
        raise EchonetError(f"process {pid} has ended") from None


def main() -> int:
    """Run the measurement and return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=30.0, help="how long to watch it (default: 30)")
    parser.add_argument("--model", metavar="DIR", help="another model than the built-in one")
    options = parser.parse_args()
    try:
        found = asyncio.run(measure(options.seconds, ["--model", options.model] if options.model else []))
    except EchonetError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; nothing was measured", file=sys.stderr)
        return 130
    print(f"listens after             {found.listens_s:6.2f} s")
    print(f"microphone open after     {found.opened_s:6.2f} s")
    print(f"resident memory           {found.own.resident:6.1f} MB after {options.seconds:.0f} s")
    print(f"highest resident memory   {found.own.highest:6.1f} MB")
    print(f"with what captures        {found.everything.resident:6.1f} MB")
    print(f"its share, shared pages   {found.everything.share:6.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
