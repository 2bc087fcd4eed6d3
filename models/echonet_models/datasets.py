"""The recordings: the manifest, what may be used for what, and splits that share no recording."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
import csv
from dataclasses import dataclass
from enum import StrEnum
import hashlib
import os
from pathlib import Path

from echonet_satellite.protocol import SoundClass

from .errors import ModelsError

BACKGROUND = "background"
OTHER = "other"
CLASSES: tuple[SoundClass, ...] = tuple(SoundClass)

# What the data's own checks call too unsure to be judged by. It may be learned from, at most.
UNSURE = ("label_suspect", "weak_impulse", "faint_or_masked", "very_quiet", "very_short_decay")


class Split(StrEnum):
    """What a recording is for. Thresholds are chosen on `tune` and reported on `validation`."""

    TRAIN = "train"
    TUNE = "tune"
    VALIDATION = "validation"


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
    sublabel: str
    source: str
    origin: str
    licence_class: str
    duration_s: float
    imitates: frozenset[str]
    may_contain: frozenset[str]
    quality: str

    @property
    def sound_class(self) -> SoundClass | None:
        """The class, or None for `other` and `background`."""
        return SoundClass(self.label) if self.label in CLASSES else None

    @property
    def unsure(self) -> bool:
        """Whether the clip's own quality notes keep it out of validation."""
        return any(note in self.quality for note in UNSURE)


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


def split_by_recording(
    clips: Iterable[Clip], *, tune_share: float = 0.15, validation_share: float = 0.2
) -> dict[str, Split]:
    """Return the split of every recording (`origin`), stratified by class and source.

    A recording that holds several classes is placed once, with the rarest of them, so that no recording is on two
    sides. The order within a stratum comes from a hash of the recording's name: the split of one recording moves
    little when others are added.
    """
    strata: dict[tuple[str, str], set[str]] = defaultdict(set)
    recordings: dict[str, set[str]] = defaultdict(set)
    for clip in clips:
        recordings[clip.label].add(clip.origin)
    rarity = {label: len(origins) for label, origins in recordings.items()}
    home: dict[str, tuple[str, str]] = {}
    for clip in sorted(clips, key=lambda clip: (rarity[clip.label], clip.label, clip.source, clip.path)):
        home.setdefault(clip.origin, (clip.label, clip.source))
    for origin, stratum in home.items():
        strata[stratum].add(origin)
    # Sources of one recording each would all land on one side; they are dealt out together, class by class.
    dealt: dict[tuple[str, str], list[str]] = defaultdict(list)
    for (label, source), origins in strata.items():
        key = (label, source) if len(origins) >= 5 else (label, "")
        dealt[key].extend(origins)
    split: dict[str, Split] = {}
    for group in dealt.values():
        split.update(_deal(sorted(group, key=_digest), tune_share, validation_share))
    return split


def split_by_source(clips: Sequence[Clip], held_out: Iterable[str]) -> dict[str, Split]:
    """Return the harder split: recordings of the sources `held_out` are validation, the rest train and tune."""
    sources = set(held_out)
    outside = {clip.origin for clip in clips if clip.source in sources}
    inner = split_by_recording([clip for clip in clips if clip.origin not in outside], validation_share=0.0)
    return {**inner, **dict.fromkeys(outside, Split.VALIDATION)}


def _deal(origins: Sequence[str], tune_share: float, validation_share: float) -> dict[str, Split]:
    """Cut the ordered recordings into validation, tune and train; a handful of them is for training alone."""
    split: dict[str, Split] = {}
    for place, origin in enumerate(origins):
        reached = place / len(origins)
        if reached < validation_share and len(origins) > 2:
            split[origin] = Split.VALIDATION
        elif reached < validation_share + tune_share and len(origins) > 3:
            split[origin] = Split.TUNE
        else:
            split[origin] = Split.TRAIN
    return split


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


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
