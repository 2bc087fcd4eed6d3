#!/usr/bin/env python3
"""Count how often the room of a sound is found, in random simulated houses that nothing was calibrated on.

usage: .venv/bin/python benchmarks/where.py [--houses 200] [--write | --calibrate]

Needs pyroomacoustics (requirements/benchmarks.txt). `--calibrate` counts anew, in other houses, how sound fades and
how late it comes (`household/acoustics.json`); `--write` writes docs/where.md. Exit status 1 where the aim is missed.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
import json
from pathlib import Path
import sys
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(1, str(Path(__file__).parents[1] / "satellite"))

import numpy as np
from numpy.typing import NDArray

from custom_components.echonet.household.where import Hearing, Listener, Whereabouts, locate
from custom_components.echonet.protocol import SoundClass

try:
    from benchmarks.simulated_houses import LENGTH, random_house
    from benchmarks.simulated_satellites import Sound, Told, decibels, listen, make_sound, random_satellites
except ModuleNotFoundError as error:
    if error.name != "pyroomacoustics":
        raise
    sys.exit("error: pyroomacoustics is missing: .venv/bin/uv pip install -r requirements/benchmarks.txt")

REPOSITORY: Final = Path(__file__).parents[1]
PAGE: Final = REPOSITORY / "docs" / "where.md"
ACOUSTICS: Final = REPOSITORY / "custom_components" / "echonet" / "household" / "acoustics.json"
AIM: Final = 0.9
BANGS: Final = (Sound.GUNSHOT, Sound.GLASS_BREAK)
CALIBRATION_SEED, TEST_SEED = 1, 2
CALIBRATION_HOUSES: Final = 150
# So many sounds of each kind in rooms with a satellite and in rooms without, in each house.
INSIDE, ELSEWHERE = 4, 2
FEWEST, MOST = 3, 6

LOSS_FROM_DB, LOSS_STEP_DB, LOSSES = -12.0, 4.0, 26
DELAY_FROM_S, DELAY_STEP_S, DELAYS = -0.02, 0.004, 36


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A sound in a house, how loud it is at 1 m, its room, and what the satellites (by their rooms) tell of it."""

    sound: Sound
    loudness_dbfs: float
    room: int
    told: tuple[tuple[int, Told], ...]

    @property
    def inside(self) -> bool:
        """Whether the room has a satellite."""
        return any(room == self.room for room, _ in self.told)

    def whereabouts(self, *, timed: bool = True) -> Whereabouts | None:
        """Ask Home Assistant where it was; without times as where clocks are unknown."""
        return locate(
            SoundClass(self.sound.value),
            [
                Listener(
                    room=str(room),
                    heard=Hearing(level_dbfs=told.level_dbfs, onset_s=told.onset_s if timed else None)
                    if told.heard
                    else None,
                )
                for room, told in self.told
            ],
        )


def events(seed: int, houses: int) -> Iterator[Event]:
    """Let sounds happen in random houses; a house is the same whatever houses come before it."""
    for number in range(houses):
        random = np.random.default_rng([seed, number])
        # What satellites do with a sound changes nothing of the next one.
        luck = np.random.default_rng([seed, number, 1])
        house = random_house(random)
        satellites = random_satellites(house, random, int(random.integers(FEWEST, MOST + 1)))
        covered = [item.room for item in satellites]
        others = [room for room in range(len(house.rooms)) if room not in covered]
        for sound in Sound:
            rooms = list(random.choice(covered, INSIDE))
            if others:
                rooms += list(random.choice(others, ELSEWHERE))
            for room in map(int, rooms):
                source = house.rooms[room].random_point(random, 0.3, 1.8)
                spectrum = make_sound(sound, random)
                told = tuple(
                    (item.room, listen(sound, house, item, spectrum, source, room, luck))
                    for item in satellites
                )
                loudness = decibels(float(np.abs(np.fft.irfft(spectrum, LENGTH)).max()))
                yield Event(sound=sound, loudness_dbfs=loudness, room=room, told=told)
        if sys.stderr.isatty() or number % 50 == 49:
            print(f"  {number + 1} of {houses} houses", file=sys.stderr, flush=True)


def calibrate(found: Sequence[Event]) -> dict[str, Any]:
    """Count losses and delays, and from which level on sounds are heard."""
    return {sound.value: _count(sound, [item for item in found if item.sound is sound]) for sound in Sound}


def _count(sound: Sound, found: Sequence[Event]) -> dict[str, Any]:
    pairs = [(event, room, told) for event in found for room, told in event.told]
    heard = np.array([told.heard for _, _, told in pairs])
    levels = np.array([told.true_dbfs for _, _, told in pairs])
    loudness = np.array([event.loudness_dbfs for event in found])
    audible, spread = _fit_audible(levels, heard)
    cells = np.array(
        [
            (
                (event.loudness_dbfs - told.true_dbfs - LOSS_FROM_DB) // LOSS_STEP_DB,
                0 if told.onset_s is None else (told.onset_s - DELAY_FROM_S) // DELAY_STEP_S,
            )
            for event, _, told in pairs
        ]
    ).astype(int)
    # Of what stands out of no noise, no onset can be found; its delays are those of what was heard.
    same = np.array([event.room == room for event, room, _ in pairs])
    return {
        "loudness_dbfs": round(float(loudness.mean()), 1),
        # Guns, panes and alarms differ more than those that were simulated.
        "loudness_spread_db": round(float(2 * loudness.std()), 1),
        "audible_dbfs": round(audible, 1),
        "audible_spread_db": round(spread, 1),
        "loss_from_db": LOSS_FROM_DB,
        "loss_step_db": LOSS_STEP_DB,
        "delay_from_s": DELAY_FROM_S,
        "delay_step_s": DELAY_STEP_S,
        "same_room": _table(cells[same], heard[same], columns=DELAYS if sound in BANGS else 1),
        "elsewhere": _table(cells[~same], heard[~same], columns=DELAYS if sound in BANGS else 1),
    }


def _table(cells: NDArray[np.int_], heard: NDArray[np.bool_], *, columns: int) -> list[list[float]]:
    """Count cells, spread each count over its neighbours, and make their sum one."""
    rows, places = np.clip(cells, 0, (LOSSES - 1, columns - 1)).T
    counts = np.zeros((LOSSES, columns))
    np.add.at(counts, (rows[heard], places[heard]), 1)
    kernel = np.array([0.0625, 0.25, 0.375, 0.25, 0.0625])
    for axis in (0, 1) if columns > 1 else (0,):
        counts = np.apply_along_axis(np.convolve, axis, counts, kernel, "same")
    # Where nothing was counted, loudness and lateness are taken as independent.
    counts += 0.02 * np.outer(counts.sum(axis=1), counts.sum(axis=0)) / counts.sum()
    shares = counts / counts.sum(axis=1, keepdims=True).clip(1e-9)
    losses = np.bincount(rows, minlength=LOSSES).astype(float)
    losses = np.convolve(losses, kernel, "same")
    # A row that nobody heard of has the delays of its nearest neighbour that somebody did.
    known = np.flatnonzero(counts.sum(axis=1) > 0.5)
    for row in range(LOSSES):
        shares[row] = shares[known[np.argmin(np.abs(known - row))]]
    table = losses[:, None] * shares / losses.sum()
    return [[round(float(value), 6) for value in row] for row in table]


def _fit_audible(levels: NDArray[np.float64], heard: NDArray[np.bool_]) -> tuple[float, float]:
    """Fit a logistic curve to what is heard at which level."""
    curves = [
        (float(-np.log(np.where(heard, chance, 1 - chance)).sum()), float(middle), float(spread))
        for middle in np.arange(-90, -30, 1.0)
        for spread in np.arange(1, 8, 0.5)
        for chance in (0.001 + 0.949 / (1 + np.exp(-np.clip((levels - middle) / spread, -50, 50))),)
    ]
    _, middle, spread = min(curves)
    return middle, spread


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """How often the answer was right, wrong or "unknown", of so many sounds."""

    count: int
    first: float
    right: float
    wrong: float

    @classmethod
    def of(cls, answers: Sequence[tuple[Event, Whereabouts | None]]) -> Score:
        """Count answers."""
        first = [bool(where and where.rooms[0].room == str(event.room)) for event, where in answers]
        named = [where is not None and where.room is not None for _, where in answers]
        return cls(
            count=len(answers),
            first=float(np.mean(first)),
            right=float(np.mean([a and b for a, b in zip(first, named, strict=True)])),
            wrong=float(np.mean([b and not a for a, b in zip(first, named, strict=True)])),
        )

    def row(self, name: str) -> str:
        """Write a row of the table."""
        unknown = 1 - self.right - self.wrong
        shares = " | ".join(f"{100 * item:.1f} %" for item in (self.first, self.right, self.wrong, unknown))
        return f"| {name} | {self.count} | {shares} |"


HEAD: Final = (
    "| sounds | number | right room first | named rightly | named wrongly | unknown |\n"
    "| --- | --- | --- | --- | --- | --- |"
)


def report(found: Sequence[Event]) -> tuple[str, bool]:
    """Return the tables, in Markdown, and whether the aim is reached."""
    answers = [(event, event.whereabouts()) for event in found]
    inside = [item for item in answers if item[0].inside]
    bangs = [item for item in inside if item[0].sound in BANGS]
    whole = Score.of(bangs)
    lines = ["In a room with a satellite:", "", HEAD, whole.row("gunshots and breaking glass")]
    lines += [
        Score.of([item for item in inside if item[0].sound is sound]).row(_name(sound)) for sound in Sound
    ]
    lines += [
        Score.of([item for item in bangs if len(item[0].told) == count]).row(f"bangs, {count} satellites")
        for count in range(FEWEST, MOST + 1)
    ]
    untimed = [(event, event.whereabouts(timed=False)) for event, _ in bangs]
    lines += [
        Score.of([item for item in untimed if item[0].sound is sound]).row(f"{_name(sound)}, by level alone")
        for sound in BANGS
    ]
    lines += ["", 'In a room without one, where only "unknown" is right:', "", HEAD]
    lines += [
        Score.of([item for item in answers if item[0].sound is sound and not item[0].inside]).row(
            _name(sound)
        )
        for sound in Sound
    ]
    lines += ["", "What the probabilities are worth, over all sounds:", ""]
    lines += ["| probability of the first room | number | right |", "| --- | --- | --- |"]
    for low in np.arange(0, 1, 0.2):
        part = [
            where.rooms[0].room == str(event.room)
            for event, where in answers
            if where is not None and low <= where.rooms[0].probability < low + 0.2 + (low > 0.7)
        ]
        if part:
            lines.append(
                f"| {100 * low:.0f} to {100 * low + 20:.0f} % | {len(part)} | {100 * np.mean(part):.0f} % |"
            )
    return "\n".join(lines), whole.first >= AIM


def _name(sound: Sound) -> str:
    return str(sound).replace("_", " ")


def page(tables: str, houses: int) -> str:
    """Return what docs/where.md says."""
    return f"""\
# Where it was

For whoever wants to know how far to trust the rooms that an alert names.

With three or more satellites, Home Assistant weighs in which room a sound was: by how loud each satellite heard it,
by which of them heard nothing and, for gunshots and breaking glass, by who heard it first. For that it measures the
clock of each satellite over the connection, twice a minute. It knows the rooms of the satellites and nothing
of walls and doors, and says "unknown" where no room has a chance of at least a half.

Measured on {houses} simulated houses (pyroomacoustics) of one or two storeys with {FEWEST} to {MOST} satellites;
what counts as far or faint was calibrated on {CALIBRATION_HOUSES} other houses. Walls, doors, sounds and microphones
are described in `benchmarks/simulated_houses.py` and `benchmarks/simulated_satellites.py`; each microphone's gain is
unknown by 3 dB (standard deviation), and one satellite in twenty misses the sound altogether. A simulated house is
no house: furniture, people and sounds from outdoors are not in it.

*Right room first* counts the likeliest room also where it is too unlikely to be named; the next three columns count
what is said.

{tables}

Gunshots fill every microphone in the room and some in the next ones, so that levels say little of them; there, the
clocks count.

Written by `.venv/bin/python benchmarks/where.py --write`.
"""


def main() -> int:
    """Run the simulation and return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--houses", type=int, default=200, help="how many to simulate (default: 200)")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--write", action="store_true", help="write docs/where.md")
    what.add_argument("--calibrate", action="store_true", help="write household/acoustics.json")
    options = parser.parse_args()
    if options.calibrate:
        counted = calibrate(list(events(CALIBRATION_SEED, CALIBRATION_HOUSES)))
        # A row a line.
        text = json.dumps(counted).replace("], [", "],\n[").replace("}, ", "},\n")
        ACOUSTICS.write_text(f"{text}\n", encoding="utf-8")
        print(f"written to {ACOUSTICS}")
        return 0
    tables, reached = report(list(events(TEST_SEED, options.houses)))
    print(tables)
    if options.write:
        PAGE.write_text(page(tables, options.houses), encoding="utf-8")
        print(f"written to {PAGE}")
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())
