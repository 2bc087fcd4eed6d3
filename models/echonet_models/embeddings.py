"""The teacher's embeddings: what a window sounds like, in 1024 numbers, for cleaning and for comparison."""

from collections.abc import Sequence
from pathlib import Path
import shutil

from ai_edge_litert.interpreter import Interpreter
import numpy as np
from numpy.typing import NDArray

from .datasets import Clip
from .errors import ModelsError
from .progress import track
from .recordings import Recordings, Samples
from .teachers import MODEL_FILE, WINDOW

EMBEDDING_SIZE = 1024
EMBEDDING_HOP = 3840
EMBEDDING_TENSOR = "tower0/network/layer28/reduce_mean"
CLIPS_PER_PART = 200

Embeddings = NDArray[np.float16]


def window_count(samples: int, hop: int = EMBEDDING_HOP) -> int:
    """Return how many windows of 0.975 s, `hop` apart, cover so many samples; the last may reach past their end."""
    return max(0, -(-(samples - WINDOW) // hop)) + 1


class Embedder:
    """YAMNet up to the layer before its scores."""

    def __init__(self, directory: Path) -> None:
        """Load the network.

        Raises:
            ModelsError: the file is not the YAMNet that this module knows.
        """
        # Imported here: TensorFlow loads for seconds, and whoever only counts windows does not wait.
        from tensorflow.lite.tools import flatbuffer_utils  # noqa: PLC0415

        model = flatbuffer_utils.read_model(str(directory / MODEL_FILE))
        graph = model.subgraphs[0]
        names = [tensor.name.decode() for tensor in graph.tensors]
        if names.count(EMBEDDING_TENSOR) != 1:
            raise ModelsError(
                f"{MODEL_FILE} in {directory} has no tensor {EMBEDDING_TENSOR}: use the YAMNet that its notes name"
            )
        # One more output: asked to keep all tensors instead, the runtime would be half as fast.
        graph.outputs = [*graph.outputs, names.index(EMBEDDING_TENSOR)]
        content = bytes(flatbuffer_utils.convert_object_to_bytearray(model))
        self._interpreter = Interpreter(model_content=content, num_threads=1)
        self._interpreter.allocate_tensors()
        self._input = self._interpreter.get_input_details()[0]["index"]
        found = self._interpreter.get_output_details()[-1]
        if found["shape"][-1] != EMBEDDING_SIZE:
            raise ModelsError(f"{MODEL_FILE} in {directory} is not the YAMNet that its notes name")
        self._tensor = found["index"]
        self._scale, self._zero = found["quantization"]

    def embed(self, samples: Samples, hop: int = EMBEDDING_HOP) -> Embeddings:
        """Return the embedding of each window, [windows, 1024], see `window_count`; the end is padded with zeros."""
        windows = window_count(len(samples), hop)
        reach = (windows - 1) * hop + WINDOW
        padded = np.pad(samples, (0, max(0, reach - len(samples))))
        starts = range(0, windows * hop, hop)
        return np.stack([self._embed(padded[start : start + WINDOW]) for start in starts])

    def _embed(self, window: Samples) -> Embeddings:
        self._interpreter.set_tensor(self._input, window)
        self._interpreter.invoke()
        stored = self._interpreter.get_tensor(self._tensor).reshape(EMBEDDING_SIZE).astype(np.float32)
        embedding: Embeddings = ((stored - self._zero) * self._scale).astype(np.float16)
        return embedding


def embed_clips(
    directory: Path, recordings: Recordings, clips: Sequence[Clip], cache: Path
) -> dict[str, Embeddings]:
    """Return every clip's embeddings, [windows, 1024], by path; computed once per cache, part by part.

    A run that is stopped goes on after the last part it has written.
    """
    path = cache / "embeddings.npz"
    wanted = [clip.path for clip in clips]
    if path.is_file():
        with np.load(path) as stored:
            if set(wanted) <= set(stored.files):
                return {name: stored[name] for name in wanted}
    parts = cache / "embeddings"
    parts.mkdir(parents=True, exist_ok=True)
    embedder: Embedder | None = None
    embedded: dict[str, Embeddings] = {}
    groups = [wanted[start : start + CLIPS_PER_PART] for start in range(0, len(wanted), CLIPS_PER_PART)]
    for number, group in enumerate(track(groups, "embedding recordings, parts")):
        part = parts / f"{number:03d}.npz"
        if not _holds(part, group):
            embedder = embedder or Embedder(directory)
            _store(part, {name: embedder.embed(recordings[name]) for name in group})
        with np.load(part) as stored:
            embedded.update({name: stored[name] for name in group})
    _store(path, embedded)
    shutil.rmtree(parts)
    return embedded


def _holds(part: Path, names: Sequence[str]) -> bool:
    if not part.is_file():
        return False
    with np.load(part) as stored:
        return set(names) <= set(stored.files)


def _store(path: Path, embedded: dict[str, Embeddings]) -> None:
    """Write all or nothing."""
    partial = path.with_suffix(".partial.npz")
    np.savez(partial, allow_pickle=False, **embedded)
    partial.replace(path)
