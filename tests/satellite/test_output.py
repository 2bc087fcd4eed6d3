"""What is said on the terminal never holds up what is told to Home Assistant."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
import os
from pathlib import Path

import aiohttp

from echonet_satellite.output import LineWriter
from echonet_satellite.protocol import Phase, SoundClass
from echonet_satellite.report import Report
from tests.support.connections import connect, take
from tests.support.satellite import SatelliteUnderTest
from tests.support.wire import protocol


@contextmanager
def reported_to(satellite: SatelliteUnderTest, descriptor: int) -> Iterator[LineWriter]:
    """Report what the satellite tells to a file descriptor, as `run` does."""
    writer = LineWriter(descriptor, most_lines=100)
    satellite.station.subscribe(Report(writer.write, as_json=True).message)
    try:
        yield writer
    finally:
        writer.close(0.1)


async def hears_all(satellite: SatelliteUnderTest, session: aiohttp.ClientSession) -> None:
    connection = await connect(session, satellite)
    for _ in range(60):
        identifier = satellite.emit(SoundClass.GUNSHOT)
        satellite.emit(SoundClass.GUNSHOT, Phase.END, id=identifier)
    found = [item for item in await take(connection, 120) if isinstance(item, protocol.Detection)]
    assert len({item.id for item in found}) == 60
    await connection.close()


async def test_standard_output_on_a_full_disk_costs_no_alarm(
    satellite: SatelliteUnderTest, session: aiohttp.ClientSession
) -> None:
    descriptor = os.open("/dev/full", os.O_WRONLY)
    with reported_to(satellite, descriptor):
        await hears_all(satellite, session)
    os.close(descriptor)


async def test_a_reader_that_has_stopped_costs_no_alarm(
    satellite: SatelliteUnderTest, session: aiohttp.ClientSession
) -> None:
    reading, writing = os.pipe()
    with reported_to(satellite, writing) as writer:
        for _ in range(10):  # more than a pipe holds
            writer.write("x" * 65536)
        await hears_all(satellite, session)
    # Its thread still waits; that the reader goes lets it end.
    os.close(reading)
    os.close(writing)


async def test_a_reader_that_has_gone_costs_no_alarm(
    satellite: SatelliteUnderTest, session: aiohttp.ClientSession
) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with reported_to(satellite, writing):
        await hears_all(satellite, session)
    os.close(writing)


async def test_no_standard_output_at_all_costs_no_alarm(
    satellite: SatelliteUnderTest, session: aiohttp.ClientSession
) -> None:
    with reported_to(satellite, 999_999):
        await hears_all(satellite, session)


async def test_lines_come_whole_and_in_order_and_say_what_is_missing(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    writer = LineWriter(writing, most_lines=10)
    writer.write("x" * 200_000)  # its thread stops in the middle of this one
    await asyncio.sleep(0.2)
    for number in range(25):
        writer.write(str(number))
    os.close(writing)
    with open(reading) as stream:  # noqa: ASYNC230, PTH123 - a pipe has no path, and is read by nobody else
        lines = await asyncio.to_thread(lambda: [stream.readline().strip() for _ in range(12)])
        writer.close(1.0)
    assert lines[0] == "x" * 200_000
    assert lines[1:] == ["(15 lines before this one could not be written)", *map(str, range(15, 25))]
