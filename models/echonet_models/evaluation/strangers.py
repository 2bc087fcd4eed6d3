"""Asks the network of each fold about the sources that it never heard: their clips, and scenes made of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..data.folds import FOLDS, judged_clips
from ..data.library import Library
from ..progress import track
from ..training.run import FIRST, SECOND, fold_folder, trained
from .pooled import Listener, Logits, Pooled, hear_all, read_pooled
from .replay import Stream, stream_of
from .scenes import Scene, SceneMaker

CLIPS_FILE = "clips.npz"
SCENES_FILE = "scenes.npz"
_RARE_EACH = 12
_PRESENCE_EACH = 24


@dataclass(frozen=True, slots=True)
class Strangers:
    """What was heard: `clips` by path and `scenes` by key; `folds` says who was asked."""

    clips: Mapping[str, Logits]
    scenes: Mapping[str, Logits]
    folds: Mapping[str, int]
    made: Sequence[tuple[Scene, SceneMaker]]

    def clip_stream(self, library: Library, path: str) -> Stream:
        """Return a clip as the detector sees it."""
        return stream_of(library.recordings[path], self.clips[path])

    def scene_stream(self, scene: Scene, maker: SceneMaker) -> Stream:
        """Return a scene as the detector sees it."""
        return stream_of(maker.render(scene), self.scenes[scene.key])


def hear_strangers(run: Path, library: Library, teachers: Path) -> Strangers:
    """Return what each fold's network hears of its strangers; what is in the run's folder is not asked again.

    Raises:
        ModelsError: a fold has not been trained.
    """
    clips: dict[str, Logits] = {}
    scenes: dict[str, Logits] = {}
    folds: dict[str, int] = {}
    made: list[tuple[Scene, SceneMaker]] = []
    for fold in range(FOLDS):
        folder = fold_folder(run, fold)
        own = judged_clips(library.clips, fold)
        maker = SceneMaker(own, library.recordings, library.lessons, library.class_map, seed=fold)
        planned = maker.rare(_RARE_EACH) + maker.presence(_PRESENCE_EACH)
        if not (folder / CLIPS_FILE).is_file() or not (folder / SCENES_FILE).is_file():
            listener = Listener(*(trained(run, teachers, fold, look).model for look in (FIRST, SECOND)))
            if not (folder / CLIPS_FILE).is_file():
                doing = f"fold {fold + 1} hears the clips that it does not know"
                Pooled(hear_all(listener, library.recordings, own, doing)).store(folder / CLIPS_FILE)
            heard = {
                scene.key: listener.hear(maker.render(scene))
                for scene in track(planned, f"fold {fold + 1} hears scenes of them")
            }
            Pooled(heard).store(folder / SCENES_FILE)
        clips |= read_pooled(folder / CLIPS_FILE).logits
        scenes |= read_pooled(folder / SCENES_FILE).logits
        folds |= {clip.path: fold for clip in own} | {scene.key: fold for scene in planned}
        made += [(scene, maker) for scene in planned]
    return Strangers(clips, scenes, folds, made)
