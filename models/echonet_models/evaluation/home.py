"""What the fold networks make of a home: embeddings of strangers, and the same thing heard again and again.

A thing (a doorbell, a cat, a drill) is a recording that a fold left out. Each time it is heard from another place of
the home: simulated rooms, backgrounds that the fold left out too, any level. The first repeats are in quiet, as
somebody would record them; the others are 3 to 20 dB over what else sounds.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
import zlib

from ai_edge_litert.interpreter import Interpreter
import keras
import numpy as np
from scipy.signal import oaconvolve

from echonet_satellite.frontend import Floats

from ..data.folds import judged_clips
from ..data.library import Library
from ..data.manifest import BACKGROUND, CLASSES, OTHER, Clip
from ..data.recordings import SAMPLE_RATE, Samples
from ..mixing.acoustics import simulate_room
from ..network.ears import BANDS, WINDOW_FRAMES
from ..network.litert import to_tflite
from ..progress import track
from ..training.run import fold_name, trained
from .pooled import STEP_SAMPLES, windows_of

EMBEDDING = 384
QUIET_REPEATS = 5
REPEATS = 12
_OF_A_KIND = 8
_LONGEST = 5 * SAMPLE_RATE // 2
_WINDOW = WINDOW_FRAMES * 160
_SEEN_S, _SEEN = 0.4, 0.7


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some sound as a network hears it, step by step; `sounding` are the steps that see the thing."""

    path: str
    repeat: int
    embeddings: Floats
    logits: Floats
    sounding: np.ndarray


class Embedder:
    """A fold's network, asked for logits and embeddings of whole stretches."""

    def __init__(self, model: keras.Model) -> None:
        """Take the network, see `network.ears`."""
        window = keras.Input((WINDOW_FRAMES, BANDS), batch_size=1)
        outputs = model(window)
        network = keras.Model(window, [outputs[0], outputs[2]])
        self._interpreter = Interpreter(model_content=to_tflite(network), num_threads=1)
        self._interpreter.allocate_tensors()
        self._input = self._interpreter.get_input_details()[0]["index"]
        found = {detail["shape"][-1]: detail["index"] for detail in self._interpreter.get_output_details()}
        self._logits, self._embedding = found[len(CLASSES)], found[EMBEDDING]

    def hear(self, samples: Samples) -> tuple[Floats, Floats]:
        """Return embeddings and logits of each step."""
        embeddings, logits = [], []
        for window in windows_of(samples):
            self._interpreter.set_tensor(self._input, window[None])
            self._interpreter.invoke()
            embeddings.append(self._interpreter.get_tensor(self._embedding)[0].astype(np.float16))
            logits.append(self._interpreter.get_tensor(self._logits)[0].astype(np.float16))
        return np.array(embeddings), np.array(logits)


def hear_strangers(run: Path, library: Library, teachers: Path, fold: int) -> dict[str, Stretch]:
    """Return every clip that a fold left out, by its path; what is in the run's folder is not heard again."""
    own = judged_clips(library.clips, fold)
    path = run / fold_name(fold) / "embeddings.npz"
    if not path.is_file():
        embedder = Embedder(trained(run, teachers, fold).model)
        doing = f"fold {fold + 1} hears its strangers"
        heard = [(clip.path, 0, *embedder.hear(library.recordings[clip.path])) for clip in track(own, doing)]
        _store(path, heard)
    return {stretch.path: stretch for stretch in _read(path)}


def hear_things(
    run: Path,
    library: Library,
    teachers: Path,
    fold: int,
    chosen: Mapping[str, int],
    name: str,
) -> list[Stretch]:
    """Return so many repeats of each of some recordings; what is in the run's folder is not heard again."""
    path = run / fold_name(fold) / f"{name}.npz"
    if not path.is_file():
        embedder = Embedder(trained(run, teachers, fold).model)
        backgrounds = [clip for clip in judged_clips(library.clips, fold) if clip.label == BACKGROUND]
        heard, extents = [], []
        for thing, repeats in track(list(chosen.items()), f"fold {fold + 1} hears {name} again and again"):
            for repeat in range(repeats):
                samples, lead, length = render(library, backgrounds, thing, repeat)
                heard.append((thing, repeat, *embedder.hear(samples)))
                extents.append((lead, length))
        _store(path, heard, extents)
    return list(_read(path))


def render(
    library: Library, backgrounds: Sequence[Clip], thing: str, repeat: int
) -> tuple[Samples, int, int]:
    """Return a repeat of a thing, where it begins and how long it is; the same repeat is the same each time."""
    generator = np.random.default_rng(zlib.crc32(f"{thing}/{repeat}".encode()))
    dry = _active(library.recordings[thing])[:_LONGEST]
    wet = oaconvolve(dry, simulate_room(generator)).astype(np.float32)
    background = library.recordings[backgrounds[int(generator.integers(len(backgrounds)))].path]
    lead = int(generator.uniform(0.6, 1.2) * SAMPLE_RATE)
    length = lead + len(wet) + SAMPLE_RATE // 4
    start = int(generator.integers(len(background)))
    sound = np.resize(np.roll(background, -start), length).astype(np.float32)
    ratio_db = generator.uniform(20, 30) if repeat < QUIET_REPEATS else generator.uniform(3, 20)
    beneath = max(float(np.square(sound).mean()), 1e-8)
    own = float(np.square(wet[: len(dry)]).mean()) + 1e-12
    sound[lead : lead + len(wet)] += wet * np.float32(np.sqrt(beneath / own) * 10 ** (ratio_db / 20))
    sound *= np.float32(10 ** (generator.uniform(-35, -6) / 20) / np.abs(sound).max())
    return sound, lead, len(dry)


def things_to_teach(clips: Iterable[Clip], kinds: frozenset[str], each: int, fold: int) -> list[str]:
    """Return a clip of some recordings that a fold left out, of what somebody might teach, not too many of a kind."""
    origins: set[str] = set()
    of_kind: Counter[str] = Counter()
    found = []
    for clip in judged_clips(list(clips), fold):
        kind = kind_of(clip)
        if clip.label != OTHER or kind not in kinds or clip.duration_s <= 0.3:
            continue
        if clip.origin not in origins and of_kind[kind] < _OF_A_KIND:
            origins.add(clip.origin)
            of_kind[kind] += 1
            found.append(clip.path)
    return sorted(found, key=lambda path: zlib.crc32(path.encode()))[:each]


def kind_of(clip: Clip) -> str:
    """Return what a clip is by its own source, without the name of the collection."""
    return clip.sublabel.split(":")[-1]


def _active(samples: Samples) -> Samples:
    frames = samples[: len(samples) // 160 * 160].reshape(-1, 160)
    level = np.sqrt(np.square(frames).mean(axis=1)) + 1e-7
    loud = np.flatnonzero(level > level.max() * 10 ** (-30 / 20))
    return samples[loud[0] * 160 : (loud[-1] + 1) * 160]


def _store(
    path: Path,
    heard: Sequence[tuple[str, int, Floats, Floats]],
    extents: Sequence[tuple[int, int]] | None = None,
) -> None:
    where = np.array(extents if extents is not None else [(0, 0)] * len(heard))
    with path.open("wb") as stream:
        np.savez(
            stream,
            paths=np.array([thing for thing, *_ in heard]),
            r=np.array([repeat for _, repeat, *_ in heard]),
            lead=where[:, 0],
            length=where[:, 1],
            steps=np.array([len(own) for _, _, own, _ in heard]),
            E=np.concatenate([own for _, _, own, _ in heard]),
            O=np.concatenate([logits for *_, logits in heard]),
        )


def _read(path: Path) -> Iterator[Stretch]:
    with np.load(path) as file:
        stored = {name: file[name] for name in ("paths", "r", "lead", "length", "steps", "E", "O")}
    ends = np.cumsum(stored["steps"])
    for number, end in enumerate(ends):
        steps = int(stored["steps"][number])
        lead, length = int(stored["lead"][number]), int(stored["length"][number])
        reach = np.arange(1, steps + 1) * STEP_SAMPLES
        seen = np.minimum(reach, lead + length) - np.maximum(reach - _WINDOW, lead)
        yield Stretch(
            path=str(stored["paths"][number]),
            repeat=int(stored["r"][number]),
            embeddings=stored["E"][end - steps : end].astype(np.float32),
            logits=stored["O"][end - steps : end].astype(np.float32),
            sounding=seen >= min(_SEEN_S * SAMPLE_RATE, _SEEN * length),
        )
