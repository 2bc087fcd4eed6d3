"""The recordings: the manifest, and what may be used for what."""

import csv
from dataclasses import dataclass
from enum import StrEnum
import os
from pathlib import Path

from echonet_satellite.protocol import SoundClass

from ..errors import ModelsError

BACKGROUND = "background"
OTHER = "other"
# For distillation only: it holds anything, so it is never a negative of any class, and nothing is judged by it.
UNLABELLED = "unlabelled"
CLASSES: tuple[SoundClass, ...] = tuple(SoundClass)

# What the data's own checks call too unsure to be judged by. It may be learned from, at most.
UNSURE = ("label_suspect", "weak_impulse", "faint_or_masked", "very_quiet", "very_short_decay")
# Half of the faint sirens are birds to the teachers: what is noted so is not learned from where doubt matters.
SUSPECT = ("label_suspect", "faint_or_masked")

# Recordings under two names: game sounds that were cut from a recording that is here as well. Found by comparing all
# clips' embeddings, then the waveforms of those that are alike (correlation 1.0, 0.7 and 0.5; others 0.3 at most).
TWINS = (
    ("grp:modsounds:node_step_hard", "modsounds:node_step_wood"),
    ("grp:cdogs:gungame_pow9", "fs:196400"),
    ("grp:cdogs:gungame_piecemarker", "fs:169261"),
)


class Licences(StrEnum):
    """Which recordings a training may use, by licence."""

    ALL = "all"
    PERMISSIVE = "permissive"


PERMISSIVE_LICENCE_CLASSES = frozenset({"open", "share-alike"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """One file of the data: `label` is a class, `other` or `background`; `origin` the recording it was cut from."""

    path: str
    label: str
    origin: str
    sublabel: str = ""
    source: str = ""
    licence_class: str = ""
    duration_s: float = 0.0
    imitates: frozenset[str] = frozenset()
    may_contain: frozenset[str] = frozenset()
    quality: str = ""

    @property
    def sound_class(self) -> SoundClass | None:
        """The class, or None for `other` and `background`."""
        return SoundClass(self.label) if self.label in CLASSES else None

    @property
    def unsure(self) -> bool:
        """Whether the clip's own quality notes keep it out of validation."""
        return any(note in self.quality for note in UNSURE)

    @property
    def suspect(self) -> bool:
        """Whether it may be learned from only where something besides its label says that it holds its class."""
        return any(note in self.quality for note in SUSPECT)


def data_directory(path: Path | None = None) -> Path:
    """Return the folder of recordings: the argument, else `ECHONET_DATA`, else `../shared/data`.

    Raises:
        ModelsError: there is no manifest in it.
    """
    chosen = path or Path(os.environ.get("ECHONET_DATA", "../shared/data"))
    if not (chosen / "manifest.csv").is_file():
        raise ModelsError(
            f"no recordings in {chosen}: set ECHONET_DATA to the folder that holds manifest.csv"
        )
    return chosen.resolve()


def read_manifest(directory: Path, licences: Licences = Licences.ALL) -> list[Clip]:
    """Return the clips of a folder, in the manifest's order."""
    with (directory / "manifest.csv").open(newline="", encoding="utf-8") as lines:
        clips = [_clip(row) for row in csv.DictReader(lines)]
    if licences is Licences.PERMISSIVE:
        clips = [clip for clip in clips if clip.licence_class in PERMISSIVE_LICENCE_CLASSES]
    return clips


def _clip(row: dict[str, str]) -> Clip:
    def names(field: str) -> frozenset[str]:
        return frozenset(name for name in row[field].split(";") if name)

    return Clip(
        path=row["path"],
        label=row["label"],
        sublabel=row["sublabel"],
        source=row["source"],
        origin=row["origin_id"],
        licence_class=row["license_class"],
        duration_s=float(row["duration_s"]),
        imitates=names("hard_negative_for"),
        may_contain=names("may_contain"),
        quality=row["qc"],
    )
