"""Random houses of rooms, walls, doors and stairs, and how a sound reaches each microphone in them.

pyroomacoustics simulates what happens within a room (image sources); between rooms, sound goes through doors, walls
and floors, each of which takes away what the literature says it does:

- Walls and floors: sound reduction of a light partition 33-41 dB, of masonry 42-50 dB, of a floor 44-54 dB at 500
  Hz, rising 6 dB an octave within bounds (mass law; M. Long, *Architectural Acoustics*, 2nd ed. 2014, chapters 9 and
  10).
- Doors: closed, 15-24 dB (hollow core, unsealed); open, none. Stairs are an open door between storeys.
- What passes an opening of area S radiates into half a space: a point source of S / 2 pi of the incident intensity.
- Rooms absorb 10-30 % at each reflection, which makes reverberation times of a quarter to three quarters of a second.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
import heapq
from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray
import pyroomacoustics

RATE: Final = 16_000
SOUND_SPEED: Final = 343.0
HEIGHT_M: Final = 2.5
LENGTH: Final = 16_384
REFLECTIONS: Final = 10
# Microphones and sources keep away from walls; an opening is where the wall is.
CLEARANCE_M: Final = 0.3
OPENING_M: Final = 0.01
DOOR_M2: Final = 1.8
STAIRS_M2: Final = 3.0
PATCH_M: Final = 1.5

# Its own filter runs backwards as well, and would let sound arrive before it was made; microphones have one that
# does not.
pyroomacoustics.constants.set("rir_hpf_enable", False)

Random = np.random.Generator
Spectrum = NDArray[np.complex128]
Point = tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """A box: its corner, its size and its storey; coordinates in metres."""

    x: float
    y: float
    width: float
    depth: float
    storey: int
    absorption: float

    @property
    def size(self) -> tuple[float, float, float]:
        """Width, depth and height."""
        return (self.width, self.depth, HEIGHT_M)

    def local(self, point: Point) -> Point:
        """Turn a point of the house into one of the room, within it."""
        moved = (point[0] - self.x, point[1] - self.y, point[2] - self.storey * HEIGHT_M)
        low, high = OPENING_M, tuple(side - OPENING_M for side in self.size)
        x, y, z = (min(max(value, low), most) for value, most in zip(moved, high, strict=True))
        return (x, y, z)

    def random_point(self, random: Random, lowest: float, highest: float) -> Point:
        """Somewhere in the room, between two heights."""
        return (
            self.x + random.uniform(CLEARANCE_M, self.width - CLEARANCE_M),
            self.y + random.uniform(CLEARANCE_M, self.depth - CLEARANCE_M),
            self.storey * HEIGHT_M + random.uniform(lowest, highest),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """Where sound passes between two rooms; `loss_db` is its sound reduction at 500 Hz."""

    rooms: tuple[int, int]
    points: tuple[Point, ...]
    area_m2: float
    loss_db: float

    def other(self, room: int) -> int:
        """The room on the other side."""
        return self.rooms[1] if room == self.rooms[0] else self.rooms[0]


@dataclass(frozen=True, slots=True)
class House:
    """Rooms, and the openings between them."""

    rooms: tuple[Room, ...]
    openings: tuple[Opening, ...]
    _memory: dict[tuple[int, Point, Point], Spectrum] = field(default_factory=dict, repr=False)

    def hear(self, source: Point, source_room: int, microphone: Point, room: int) -> Spectrum:
        """Return the transfer function from a source to a microphone; it is 1 at a distance of 1 m in the open."""
        if source_room == room:
            return self._within(room, source, microphone)
        heard = np.zeros(LENGTH // 2 + 1, np.complex128)
        for path in self._paths(source_room, room):
            heard += self._along(path, source, source_room, microphone)
        return heard

    def _paths(self, start: int, end: int) -> Iterator[tuple[Opening, ...]]:
        """The way that loses least, and straight through what the two rooms share."""
        easiest = self._easiest(start, end)
        yield easiest
        for opening in self.openings:
            if set(opening.rooms) == {start, end} and easiest != (opening,):
                yield (opening,)

    def _easiest(self, start: int, end: int) -> tuple[Opening, ...]:
        queue: list[tuple[float, int, int, tuple[Opening, ...]]] = [(0.0, 0, start, ())]
        seen: set[int] = set()
        number = 0
        while queue:
            loss, _, room, path = heapq.heappop(queue)
            if room == end:
                return path
            if room in seen:
                continue
            seen.add(room)
            for opening in self.openings:
                if room in opening.rooms:
                    number += 1
                    # From opening to opening, a room of usual size takes another ten decibels.
                    more = 10 + opening.loss_db - 10 * np.log10(opening.area_m2)
                    heapq.heappush(queue, (loss + more, number, opening.other(room), (*path, opening)))
        raise AssertionError("a house is one piece")

    def _along(self, path: Sequence[Opening], source: Point, source_room: int, microphone: Point) -> Spectrum:
        """Follow one way; a wall is passed at several places, each with its share of the area."""
        at = [(source, np.ones(LENGTH // 2 + 1, np.complex128))]
        room = source_room
        for opening in path:
            share = opening.area_m2 / len(opening.points)
            gain = passing(opening.loss_db) * np.sqrt(share / (8 * np.pi)) / 2
            if len(path) == 1:
                at = [(point, gain * self._within(room, at[0][0], point)) for point in opening.points]
            else:
                # On a way of several openings, one point of each stands for all of it.
                middle = opening.points[len(opening.points) // 2]
                whole = gain * np.sqrt(len(opening.points))
                at = [(middle, at[0][1] * whole * self._within(room, at[0][0], middle))]
            room = opening.other(room)
        heard = np.zeros(LENGTH // 2 + 1, np.complex128)
        for point, spectrum in at:
            heard += spectrum * self._within(room, point, microphone)
        return heard

    def _within(self, room: int, start: Point, end: Point) -> Spectrum:
        key = (room, start, end)
        if key not in self._memory:
            self._memory[key] = transfer(self.rooms[room], start, end)
        return self._memory[key]


def transfer(room: Room, start: Point, end: Point) -> Spectrum:
    """Return the transfer function between two points of a room."""
    box = pyroomacoustics.ShoeBox(
        room.size,
        fs=RATE,
        materials=pyroomacoustics.Material(room.absorption),
        max_order=REFLECTIONS,
    )
    box.add_source(list(room.local(start)))
    box.add_microphone(list(room.local(end)))
    box.compute_rir()
    # The fractional delays of the image sources begin half their length early; see there.
    late = pyroomacoustics.constants.get("frac_delay_length") // 2
    response = box.rir[0][0][late : late + LENGTH]
    spectrum: Spectrum = np.fft.rfft(response, LENGTH)
    return spectrum


@lru_cache(maxsize=256)
def passing(loss_db: float) -> Spectrum:
    """Return what a partition of this sound reduction lets pass, at each frequency and without a delay of its own."""
    if loss_db == 0:
        return np.ones(LENGTH // 2 + 1, np.complex128)
    frequencies = np.maximum(np.fft.rfftfreq(LENGTH, 1 / RATE), 50.0)
    reduction = loss_db + np.clip(6 * np.log2(frequencies / 500), -12, 12)
    return minimum_phase(10 ** (-np.maximum(reduction, 0) / 20))


def minimum_phase(magnitude: NDArray[np.float64]) -> Spectrum:
    """Return the causal filter of this magnitude (by its cepstrum)."""
    cepstrum = np.fft.irfft(np.log(magnitude), LENGTH)
    window = np.zeros(LENGTH)
    window[0] = window[LENGTH // 2] = 1
    window[1 : LENGTH // 2] = 2
    spectrum: Spectrum = np.exp(np.fft.rfft(cepstrum * window, LENGTH))
    return spectrum


def random_house(random: Random) -> House:
    """Build a house of one or two storeys with three to seven rooms each."""
    width, depth = random.uniform(8, 13), random.uniform(7, 11)
    storeys = int(random.integers(1, 3))
    rooms: list[Room] = []
    for storey in range(storeys):
        for x, y, wide, deep in _divided(random, 0.0, 0.0, width, depth):
            rooms.append(
                Room(x=x, y=y, width=wide, depth=deep, storey=storey, absorption=random.uniform(0.1, 0.3))
            )
    masonry = random.random() < 0.5
    wall_db = random.uniform(42, 50) if masonry else random.uniform(33, 41)
    floor_db = random.uniform(44, 54)
    openings = list(_partitions(rooms, wall_db, floor_db))
    openings += _doors(random, rooms)
    return House(tuple(rooms), tuple(openings))


def _divided(
    random: Random, x: float, y: float, width: float, depth: float
) -> Iterator[tuple[float, float, float, float]]:
    """Halve a floor until its rooms have 8 to 28 square metres."""
    if width * depth < random.uniform(16, 28) or max(width, depth) < 5:
        yield x, y, width, depth
        return
    share = random.uniform(0.35, 0.65)
    if width >= depth:
        yield from _divided(random, x, y, width * share, depth)
        yield from _divided(random, x + width * share, y, width * (1 - share), depth)
    else:
        yield from _divided(random, x, y, width, depth * share)
        yield from _divided(random, x, y + depth * share, width, depth * (1 - share))


def _partitions(rooms: Sequence[Room], wall_db: float, floor_db: float) -> Iterator[Opening]:
    for one, two in combinations(range(len(rooms)), 2):
        a, b = rooms[one], rooms[two]
        x = (max(a.x, b.x), min(a.x + a.width, b.x + b.width))
        y = (max(a.y, b.y), min(a.y + a.depth, b.y + b.depth))
        wide, deep = x[1] - x[0], y[1] - y[0]
        if a.storey == b.storey:
            length = max(wide, deep)
            if length < 0.5 or min(wide, deep) < -1e-6:
                continue
            height = a.storey * HEIGHT_M + HEIGHT_M / 2
            points = tuple((px, py, height) for px, py in _spots(x, y))
            yield Opening(rooms=(one, two), points=points, area_m2=length * HEIGHT_M, loss_db=wall_db)
        elif abs(a.storey - b.storey) == 1 and wide > 0.5 and deep > 0.5:
            height = max(a.storey, b.storey) * HEIGHT_M
            points = tuple((px, py, height) for px, py in _spots(x, y))
            yield Opening(rooms=(one, two), points=points, area_m2=wide * deep, loss_db=floor_db)


def _spots(x: tuple[float, float], y: tuple[float, float]) -> Iterator[tuple[float, float]]:
    """Spread points over what two rooms share."""
    across = max(1, round((x[1] - x[0]) / PATCH_M))
    along = max(1, round((y[1] - y[0]) / PATCH_M))
    for i in range(across):
        for j in range(along):
            yield (
                x[0] + (x[1] - x[0]) * (i + 0.5) / across,
                y[0] + (y[1] - y[0]) * (j + 0.5) / along,
            )


def _doors(random: Random, rooms: Sequence[Room]) -> Iterator[Opening]:
    """Make every room reachable, and some twice; one stair between storeys."""
    walls = list(_partitions(rooms, 0, 0))
    random.shuffle(walls)  # type: ignore[arg-type]  # a list is a sequence
    group = list(range(len(rooms)))
    stairs = False
    for wall in walls:
        one, two = wall.rooms
        vertical = rooms[one].storey != rooms[two].storey
        joined = group[one] == group[two]
        if vertical and (stairs or joined):
            continue
        if not vertical and (wall.area_m2 < HEIGHT_M or (joined and random.random() < 0.8)):
            continue
        stairs = stairs or vertical
        group = [group[one] if item == group[two] else item for item in group]
        spot = wall.points[int(random.integers(len(wall.points)))]
        base = min(rooms[one].storey, rooms[two].storey) * HEIGHT_M
        is_open = vertical or random.random() < 0.5
        yield Opening(
            rooms=wall.rooms,
            points=((spot[0], spot[1], base + (HEIGHT_M if vertical else 1.0)),),
            area_m2=STAIRS_M2 if vertical else DOOR_M2,
            loss_db=0.0 if is_open else random.uniform(15, 24),
        )
