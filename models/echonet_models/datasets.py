"""The recordings: the manifest, what may be used for what, and splits that share no recording."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
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
# Of these the teacher hears every weak impulse and short decay, but only half of the faint sirens (birds sing over the
# others): what is noted so is learned from only where the teacher hears the class. The quiet ones that are not faint
# as well are of no class. So nothing is left out of training altogether.
SUSPECT = ("label_suspect", "faint_or_masked")

# Recordings under two names: game sounds that were cut from a recording that is here as well. Found by comparing all
# clips' embeddings, then the waveforms of those that are alike (correlation 1.0, 0.7 and 0.5; others 0.3 at most).
TWINS = (
    ("grp:modsounds:node_step_hard", "modsounds:node_step_wood"),
    ("grp:cdogs:gungame_pow9", "fs:196400"),
    ("grp:cdogs:gungame_piecemarker", "fs:169261"),
)


class Split(StrEnum):
    """What a recording is for. Thresholds are chosen on `tune` and reported on `validation`."""

    TRAIN = "train"
    TUNE = "tune"
    VALIDATION = "validation"


class Protocol(StrEnum):
    """What is kept for validation: recordings of every source, or, harder, whole sources of each class."""

    RECORDING = "recording"
    SOURCE = "source"


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
    for twins in TWINS:
        present = [origin for origin in twins if origin in split]
        if present:
            # On the side that is learned from most: what is measured stays unheard.
            side = min((split[origin] for origin in present), key=list(Split).index)
            split.update(dict.fromkeys(present, side))
    return split


def split_by_source(
    clips: Sequence[Clip], held_out: Mapping[str, Collection[str]] | None = None
) -> dict[str, Split]:
    """Return the harder split: per label whole sources are for validation, the rest trains and tunes.

    A source is held out label by label (`choose_held_out`): one collection has most of the fires, another most of the
    glass, so that no set of collections can leave all classes together without taking a class away. Of a held-out
    source no recording of that label is anywhere else, and a recording that two sources share is on the far side.
    """
    held_out = choose_held_out(clips) if held_out is None else held_out
    outside = {clip.origin for clip in clips if clip.source in held_out.get(clip.label, ())}
    outside |= {name for group in TWINS if outside & set(group) for name in group}
    inner = split_by_recording([clip for clip in clips if clip.origin not in outside], validation_share=0.0)
    present = outside & {clip.origin for clip in clips}
    return {**inner, **dict.fromkeys(sorted(present), Split.VALIDATION)}


def split_by(protocol: Protocol, clips: Sequence[Clip]) -> dict[str, Split]:
    """Return the split of every recording after a protocol."""
    return split_by_source(clips) if protocol is Protocol.SOURCE else split_by_recording(clips)


HELD_OUT_SHARE = (0.2, 0.25)


def choose_held_out(clips: Sequence[Clip]) -> dict[str, frozenset[str]]:
    """Return the sources of each label to leave out: 20 to 25 % of its recordings where sources allow, never all.

    Among sets of sources that fit, the one of most sources wins, then the one whose sources other labels leave already.
    A label that one source has most of loses what is nearest to that share: all its small sources, as a rule.
    """
    sources: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for clip in clips:
        sources[clip.label][clip.source].add(clip.origin)
    origins = {label: frozenset[str]().union(*own.values()) for label, own in sources.items()}
    held_out: dict[str, frozenset[str]] = {}
    outside: frozenset[str] = frozenset()
    gone: set[str] = set()
    for label in sorted(sources, key=lambda label: (len(origins[label]), label)):
        own = sources[label]
        for chosen in _rank_held_out({name: len(own[name]) for name in own}, len(origins[label]), gone):
            candidate = outside.union(*(own[name] for name in chosen))
            candidate |= {name for group in TWINS if candidate & set(group) for name in group}
            if all(_may_leave(every, outside, candidate, name == label) for name, every in origins.items()):
                held_out[label], outside = chosen, candidate
                gone |= chosen
                break
    return held_out


def _may_leave(every: frozenset[str], before: frozenset[str], after: frozenset[str], own: bool) -> bool:
    """Return whether a label can do without: recordings that labels or sources share take more along than was meant."""
    share = len(every & after) / len(every)
    return share < 1 and (own or share <= max(HELD_OUT_SHARE[1], len(every & before) / len(every)))


def _rank_held_out(sizes: Mapping[str, int], total: int, gone: Collection[str]) -> list[frozenset[str]]:
    """Return sets of sources to leave out, the best first: for each reachable number of recordings the best set."""
    reached: dict[int, tuple[tuple[int, int], frozenset[str]]] = {0: ((0, 0), frozenset())}
    for name in sorted(sizes, key=_digest):
        for size, ((count, shared), chosen) in list(reached.items()):
            better = (count + 1, shared + sizes[name] * (name in gone))
            larger = size + sizes[name]
            if larger not in reached or better > reached[larger][0]:
                reached[larger] = (better, chosen | {name})
    low, high = HELD_OUT_SHARE

    def rank(size: int) -> tuple[float, int, int, int]:
        count, shared = reached[size][0]
        return (max(low - size / total, size / total - high, 0.0), -count, -shared, size)

    return [reached[size][1] for size in sorted(reached, key=rank) if 0 < size < sum(sizes.values())]


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
