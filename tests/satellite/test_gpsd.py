"""Where the satellite is, by a gpsd in the test process on loopback that says what the real one says."""

import asyncio
from collections.abc import AsyncIterator
import json
from typing import Any

import pytest

from echonet_satellite.config import Config, load
from echonet_satellite.errors import ConfigError
from echonet_satellite.gpsd import Gpsd
from echonet_satellite.location import locate
from echonet_satellite.protocol import Location, LocationSource

HELLO = {"class": "VERSION", "release": "3.25", "proto_major": 3, "proto_minor": 15}
FIX = {"class": "TPV", "device": "/dev/ttyACM0", "mode": 3, "lat": 52.52, "lon": 13.405, "eph": 8.2}
HERE = Location(latitude=52.52, longitude=13.405, accuracy_m=8.2)


class FakeGpsd:
    """Greets, waits for the command to watch, and reports to everybody."""

    def __init__(self) -> None:
        self.writers: list[asyncio.StreamWriter] = []
        self.watching = asyncio.Event()
        self.server: asyncio.Server
        self.port = 0

    async def start(self) -> None:
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self.server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        self.server.close()
        for writer in self.writers:
            writer.close()
        self.writers.clear()
        self.watching.clear()

    async def say(self, *reports: Any) -> None:
        for writer in self.writers:
            for report in reports:
                line = report if isinstance(report, bytes) else json.dumps(report).encode()
                writer.write(line + b"\r\n")
            await writer.drain()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(json.dumps(HELLO).encode() + b"\r\n")
        command = await reader.readline()
        assert command.startswith(b"?WATCH=")
        assert json.loads(command.removeprefix(b"?WATCH=")) == {"enable": True, "json": True}
        self.writers.append(writer)
        self.watching.set()
        await reader.read()


class Place:
    """A satellite's view of gpsd, and a clock that a test moves."""

    def __init__(self, port: int) -> None:
        self.now = 100.0
        self.news: asyncio.Queue[Location | None] = asyncio.Queue()
        self.gpsd = Gpsd("127.0.0.1", port, self._moved, monotonic=lambda: self.now, retry_s=0.05)

    def _moved(self) -> None:
        self.news.put_nowait(self.gpsd.location)

    async def next(self) -> Location | None:
        async with asyncio.timeout(10):
            return await self.news.get()


@pytest.fixture
async def fake() -> AsyncIterator[FakeGpsd]:
    server = FakeGpsd()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def place(fake: FakeGpsd) -> AsyncIterator[Place]:
    place = Place(fake.port)
    task = asyncio.create_task(place.gpsd.run())
    await asyncio.wait_for(fake.watching.wait(), 10)
    yield place
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_fix_with_accuracy_and_age(fake: FakeGpsd, place: Place) -> None:
    assert locate(Config(), place.gpsd) == (LocationSource.NONE, None)
    await fake.say({"class": "TPV", "mode": 1}, {"class": "SKY"}, FIX)
    assert await place.next() == HERE

    # The receiver loses the sky: what was known stays, and says how old it is.
    await fake.say({"class": "TPV", "mode": 1, "lat": 0.0, "lon": 0.0})
    place.now += 90.0
    source, location = locate(Config(), place.gpsd)
    assert source is LocationSource.GPS
    assert location is not None
    assert (location.latitude, location.age_s) == (52.52, 90.0)


async def test_gps_goes_before_what_is_written_down(fake: FakeGpsd, place: Place) -> None:
    written = Config(location=Location(latitude=1.0, longitude=2.0))
    assert locate(written, place.gpsd) == (LocationSource.CONFIGURED, written.location)
    await fake.say(FIX)
    await place.next()
    assert locate(written, place.gpsd)[0] is LocationSource.GPS


async def test_only_what_is_further_than_its_wandering_is_told(fake: FakeGpsd, place: Place) -> None:
    await fake.say(FIX)
    await place.next()
    nearby, away = {**FIX, "lat": 52.5201}, {**FIX, "lat": 52.53}
    await fake.say(nearby, nearby, away)
    moved = await place.next()
    assert moved is not None
    assert moved.latitude == 52.53
    assert place.news.empty()


async def test_the_accuracy_of_each_kind_of_receiver(fake: FakeGpsd, place: Place) -> None:
    without = {key: value for key, value in FIX.items() if key != "eph"}
    await fake.say(
        {**without, "epx": 30.0, "epy": 40.0}, {**without, "lat": 53.0}, {**FIX, "lat": 54.0, "eph": 3}
    )
    assert [found.accuracy_m for found in [await place.next() for _ in range(3)] if found] == [
        50.0,
        15.0,
        3.0,
    ]


async def test_nonsense_moves_nobody(fake: FakeGpsd, place: Place) -> None:
    await fake.say(
        b"not JSON",
        b"\xff\xfe",
        b"[" * 5000,
        [],
        {**FIX, "lat": "52"},
        {**FIX, "lat": 91.0},
        {**FIX, "lon": None},
        b'{"class":"TPV","mode":3,"lat":NaN,"lon":1}',
        {**FIX, "mode": True},
    )
    await fake.say(FIX)
    assert await place.next() == HERE


async def test_a_gpsd_that_ends_is_found_again(fake: FakeGpsd, place: Place) -> None:
    await fake.say(FIX)
    await place.next()
    await fake.stop()
    await fake.start()
    await asyncio.wait_for(fake.watching.wait(), 10)
    await fake.say({**FIX, "lat": 52.6})
    moved = await place.next()
    assert moved is not None
    assert moved.latitude == 52.6


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("localhost", "localhost", 2947),
        ("192.0.2.1:3000", "192.0.2.1", 3000),
        ("[::1]:3000", "::1", 3000),
        ("[::1]", "::1", 2947),
    ],
)
def test_the_address_of_gpsd(text: str, host: str, port: int) -> None:
    found = load(environment={}, flags={"location.gpsd": text}).config.gpsd
    assert found is not None
    assert (found.host, found.port) == (host, port)


@pytest.mark.parametrize("text", ["::1", "host:99999", "host:port", "a b"])
def test_what_is_no_address_of_gpsd(text: str) -> None:
    with pytest.raises(ConfigError, match="--gpsd must be an address"):
        load(environment={}, flags={"location.gpsd": text})
