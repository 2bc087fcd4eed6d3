"""How well a home's lessons work: sounds taught from few examples, and false alarms that are tapped away.

Everything is asked of networks about recordings that they never heard, with the code that satellites run. The strangers
of a fold are dealt in two: one half of the recordings is the reference set, the other is judged on.
"""

from collections.abc import Mapping
import json
from pathlib import Path
from typing import Any, Final
import zlib

import numpy as np
from numpy.typing import NDArray

from echonet_satellite.learning.reference import Reference
from echonet_satellite.protocol import SoundClass

from ..data.folds import FOLDS
from ..data.library import Library
from ..data.manifest import BACKGROUND, CLASSES, OTHER, Clip
from ..errors import ModelsError
from .home import REPEATS, Fold, Home, Stretch, things_to_teach
from .reference import assemble, one_of_each, telling
from .run import read_figures
from .tables import markdown
from .tapped import culprits, tapped_figures
from .taught import taught_figures

HOMES_FILE: Final = "homes.json"
KINDS: Final = frozenset(
    (  # noqa: SIM905  # thirty words are read more easily as a text
        "air_conditioner app_ringtone beep beep2 bell bicycle_bell bicycle_horn car_horn cash_register cat chainsaw "
        "church_bell church_bells clock_tick cow doorbell doorbell_02 doorbell_03 drilling engine_idling guitar "
        "hammer helicopter home_noise jackhammer notification_chime person_sneeze phone_ring phone_ringtone rain "
        "rooster sheep snoring thunderstorm train_whistle ui_beep whistle"
    ).split()
)
_THINGS: Final = 22
_ALARMS: Final = 9
_BEGIN: Final = "<!-- written by `echonet-models fewshot` -->"
_END: Final = "<!-- end -->"


def measure(run: Path, library: Library, teachers: Path) -> dict[str, Any]:
    """Return all figures of a run's networks; what they hear is kept in the run's folder."""
    evaluated = read_figures(run)
    rules = evaluated["rules"]
    folds = [_fold(Home(run, library, teachers, number), library, rules) for number in range(FOLDS)]
    figures = {
        "sha256": evaluated["file"]["sha256"],
        "false_alarms": tapped_figures(folds, rules),
        "taught": taught_figures(folds),
    }
    (run / HOMES_FILE).write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    return figures


def _fold(home: Home, library: Library, rules: Mapping[str, Any]) -> Fold:
    clips = {clip.path: clip for clip in library.clips}
    heard = home.strangers()
    things = home.again("things", things_to_teach(home.judged, KINDS, _THINGS), REPEATS)
    wrong = home.again("culprits", culprits(heard, clips, rules), _ALARMS)
    reference, everyday = _reference({path: one for path, one in heard.items() if _first(clips[path])}, clips)
    judged = [
        (clips[path], one, reference.place(one.embeddings))
        for path, one in heard.items()
        if not _first(clips[path])
    ]
    return Fold(
        clips=clips,
        reference=reference,
        everyday=everyday,
        background=[directions for clip, _, directions in judged if clip.label == BACKGROUND],
        other=[(clip, directions) for clip, _, directions in judged if clip.label == OTHER],
        true=[
            known
            for known in judged
            if known[0].sound_class in set(CLASSES) - {SoundClass.PRESENCE} and not known[0].unsure
        ],
        things=things,
        culprits=wrong,
    )


def _reference(
    half: Mapping[str, Stretch], clips: Mapping[str, Clip]
) -> tuple[Reference, tuple[NDArray[np.float32], NDArray[np.str_]]]:
    """Return the reference set of half the strangers, its everyday moments, and of which recording each is."""
    parts = [
        (clips[path].origin, one.embeddings[::10])
        for path, one in half.items()
        if clips[path].label in (BACKGROUND, OTHER)
    ]
    everyday = np.concatenate([own for _, own in parts])
    sounds = {
        name: [
            telling(half[clip.path].embeddings, half[clip.path].logits[:, place])
            for clip in one_of_each([clips[path] for path in half], name)
        ]
        for place, name in enumerate(CLASSES)
    }
    origins = np.repeat([origin for origin, _ in parts], [len(own) for _, own in parts])
    reference = assemble(everyday, sounds, everyday[:0])
    return reference, (reference.place(everyday), origins)


def _first(clip: Clip) -> bool:
    return zlib.crc32(clip.origin.encode()) % 2 == 0


def table(figures: Mapping[str, Any]) -> str:
    """Return the figures as they stand in docs/models.md."""
    ways = figures["taught"]
    rows = [
        [*key.rsplit("/", 1), f"{own['recall']:.3f}", f"{own['background']:.2f}", f"{own['other']:.1f}"]
        for key, own in ways.items()
    ]
    header = ["way to learn", "recordings", "recall", "false alarms in an hour of background"]
    used = ways["linear discriminant/3"]
    things, threshold = used["things"], used["threshold"]
    taps = [
        [
            *(level, *(str(own[key]) for key in ("sources", "before", "after"))),
            f"{1 - own['after'] / max(1, own['before']):.0%}",
            f"{max(own['lost'].values(), default=0.0):.1%}",
        ]
        for level, own in figures["false_alarms"].items()
    ]
    tapped = ["sensitivity", "sources", "further repeats that rang", "still ring after two taps"]
    return f"""\
{markdown([*header, "in an hour of other sounds"], rows)}

{things} things. The threshold of a fold is chosen on the others; all folds together choose {threshold:.2f},
satellites use 0.00. Measured with the folds of the network `{figures["sha256"][:16]}`.

{markdown([*tapped, "fewer", "true sounds lost"], taps)}"""


def write_table(figures: Mapping[str, Any], docs: Path) -> Path:
    """Put the table into its place in models.md, and return the page.

    Raises:
        ModelsError: the page has no such place.
    """
    page = docs / "models.md"
    text = page.read_text(encoding="utf-8")
    before, begin, rest = text.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise ModelsError(f"{page} has no place for the table: put {_BEGIN} and {_END} where it belongs")
    page.write_text(f"{before}{begin}\n\n{table(figures)}\n\n{end}{after}", encoding="utf-8")
    return page
