"""Everything a training or an evaluation takes its sound from, opened once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from .activity import Labels, label_clip
from .augment import read_room_responses
from .bank import Bank
from .cleaning import Verdicts, verdicts
from .datasets import Clip, Licences, Protocol, Split, data_directory, read_manifest, split_by
from .events import Events
from .knowledge import Knowledge, open_knowledge
from .mixtures import MixtureMaker
from .portraits import Portrayer
from .recipe import Recipe
from .recordings import Recordings, Samples, open_recordings
from .synthetic.makers import open_made_up
from .teachers import ClassMap, Taught, read_class_map, teach, teachers_directory
from .variations import open_variations

DEFAULT_CACHE = Path("runs/cache")


@dataclass(frozen=True, slots=True)
class Material:
    """Clips, which split each recording is in, the samples, and what the teacher hears in them."""

    clips: list[Clip]
    split: Mapping[str, Split]
    recordings: Recordings
    taught: Mapping[str, Taught]
    rooms: list[Samples]
    knowledge: Callable[[], Knowledge]
    recipe: Recipe = field(default_factory=Recipe)
    bank: Callable[[], Bank] | None = None
    """Sounds that are made up, and recordings bent far; for training only."""
    class_map: ClassMap | None = None
    """Which of the teachers' classes mean ours."""
    verdicts: Mapping[str, Verdicts] = field(default_factory=dict)
    """What cleaning says of the clips of a class; empty where nothing was cleaned."""
    portrayer: Callable[[], Portrayer | None] = lambda: None
    """The teachers that say what a whole mixture sounds like, for whoever has them."""

    def of(self, split: Split) -> list[Clip]:
        """Return the clips of one split."""
        return [clip for clip in self.clips if self.split[clip.origin] is split]

    def label(self, clip: Clip) -> Labels:
        """Return when the clip's sounds sound, see `label_clip`."""
        return label_clip(
            clip, self.recordings[clip.path], self.taught[clip.path], self.verdicts.get(clip.path)
        )

    def maker(self, split: Split, *, taught: bool = False) -> MixtureMaker:
        """Return a maker of mixtures from one split, with what the teachers hear in them or without."""
        bank = self.bank() if self.bank and split is Split.TRAIN else None
        events = Events(self.of(split), self.recordings, self.label, self.rooms, self.recipe, bank)
        knowledge = self.knowledge() if taught else None
        if knowledge and bank:
            knowledge = knowledge.joined(bank.knowledge)
        return MixtureMaker(events, self.recipe, knowledge)


def open_material(
    *,
    data: Path | None = None,
    teachers: Path | None = None,
    cache: Path = DEFAULT_CACHE,
    licences: Licences = Licences.ALL,
    protocol: Protocol = Protocol.RECORDING,
) -> Material:
    """Read the manifest, split it, decode the recordings, ask the teachers and clean; the last three once per cache.

    The split is that of the whole data set, whatever the licences, so that figures can be compared.
    """
    directory = data_directory(data)
    everything = read_manifest(directory)
    recordings = open_recordings(directory, everything, cache)
    folder = teachers_directory(teachers)
    taught = teach(folder, recordings, everything, cache)
    split = split_by(protocol, everything)
    clips = everything if licences is Licences.ALL else read_manifest(directory, licences)
    rooms = read_room_responses(directory)

    def bank() -> Bank:
        made_up = open_made_up(folder, cache)
        return made_up.joined(open_variations(folder, everything, recordings, taught, rooms, cache))

    return Material(
        clips,
        split,
        recordings,
        taught,
        rooms,
        partial(open_knowledge, folder, recordings, everything, cache),
        bank=bank,
        class_map=read_class_map(folder),
        verdicts=verdicts(everything, recordings, cache, folder, split),
        portrayer=partial(Portrayer, folder),
    )
