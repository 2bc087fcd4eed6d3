"""The second teacher: mn04, a MobileNetV3 of width 0.4 trained on AudioSet, which says what a clip holds.

F. Schmid, K. Koutini, G. Widmer: "Efficient large-scale audio tagging via transformer-to-CNN knowledge distillation",
ICASSP 2023 (EfficientAT, MIT licence). Read from a file outside the project; only its judgements are used.
"""

from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
import csv
from io import StringIO
from pathlib import Path

from ai_edge_litert.interpreter import Interpreter
import keras
import numpy as np
from numpy.typing import NDArray
import scipy.fft
import soxr
import tensorflow as tf

from .checkpoints import State, read_state
from .datasets import Clip
from .errors import ModelsError
from .progress import track
from .recordings import SAMPLE_RATE, Recordings, Samples
from .teachers import TEACHER_CLASSES

MODEL_FILE = "mn04_as_mAP_432.pt"
LABELS_FILE = "class_labels_indices_527.csv"
YAMNET_LABELS_FILE = "yamnet_class_map.csv"
OUTPUTS = 527

WINDOW = 10 * SAMPLE_RATE
# A rest of a clip that is shorter than this says too little.
SHORTEST_WINDOW = SAMPLE_RATE
CLIPS_BETWEEN_SAVES = 400

OWN_RATE = 32000
FRAMES = 1000
FFT, FRAME, FRAME_HOP = 1024, 800, 320
BANDS, HIGHEST_HZ = 128, 15000
PREEMPHASIS = 0.97
FLOOR, SHIFT, SCALE = 1e-5, 4.5, 5.0

STRIDED_BLOCKS = frozenset({2, 4, 7, 13})
FIRST_HARD_SWISH_BLOCK = 7
LAST_BLOCK = 15
BATCH_NORM_EPSILON = 1e-3


def mel_bank() -> NDArray[np.float32]:
    """Return Kaldi's triangles, even in mel = 1127 ln(1 + f / 700) and of height one, [513, 128].

    As in Kaldi the bin at half the sampling rate belongs to none.
    """
    mel = 1127 * np.log1p(np.arange(FFT // 2 + 1) * OWN_RATE / FFT / 700)
    corners = np.linspace(0, 1127 * np.log1p(HIGHEST_HZ / 700), BANDS + 2)
    lower, centre, upper = corners[:-2], corners[1:-1], corners[2:]
    rising = (mel[:, None] - lower) / (centre - lower)
    falling = (upper - mel[:, None]) / (upper - centre)
    bank = np.maximum(0, np.minimum(rising, falling))
    bank[-1] = 0
    bank32: NDArray[np.float32] = bank.astype(np.float32)
    return bank32


_MEL_BANK = mel_bank()
_TAPER = np.pad(np.hanning(FRAME), (FFT - FRAME) // 2).astype(np.float32)


def spectrogram(window: Samples) -> NDArray[np.float32]:
    """Return what the network sees of at most 10 s at 16 kHz, zero-padded to 10 s: [128 bands, 1000 frames]."""
    resampled = soxr.resample(window, SAMPLE_RATE, OWN_RATE)[: FRAMES * FRAME_HOP]
    padded = np.pad(resampled, (0, FRAMES * FRAME_HOP - len(resampled)))
    emphasised = np.pad(padded[1:] - np.float32(PREEMPHASIS) * padded[:-1], FFT // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(emphasised, FFT)[::FRAME_HOP] * _TAPER
    spectrum = scipy.fft.rfft(frames)
    power = np.square(spectrum.real) + np.square(spectrum.imag)
    seen: NDArray[np.float32] = (
        np.log(power @ _MEL_BANK + np.float32(FLOOR)) + np.float32(SHIFT)
    ) / np.float32(SCALE)
    return seen.T


def build(state: State) -> keras.Model:
    """Return the network with the weights of `state`: [n, 128, 1000, 1] -> logits [n, 527] and features [n, 32, 384].

    The features are those that are averaged for the logits, over the bands but not yet over time.

    Batch normalisation is folded into the convolutions. A block has what the state has weights for: an expansion or
    none, a squeeze-excitation or none, its kernel size.
    """
    inputs = keras.Input((BANDS, FRAMES, 1))
    x = keras.ops.hard_swish(_convolve(inputs, state, "features.0", stride=2))
    for block in range(1, LAST_BLOCK + 1):
        x = _residual_block(x, state, block)
    x = keras.ops.hard_swish(_convolve(x, state, f"features.{LAST_BLOCK + 1}"))
    frames = keras.ops.mean(x, axis=1)
    x = keras.layers.GlobalAveragePooling2D()(x)
    x = keras.ops.hard_swish(_dense(x, state, "classifier.2"))
    return keras.Model(inputs, [_dense(x, state, "classifier.5"), frames])


def _residual_block(inputs: keras.KerasTensor, state: State, block: int) -> keras.KerasTensor:
    activate = keras.ops.hard_swish if block >= FIRST_HARD_SWISH_BLOCK else keras.ops.relu
    name = f"features.{block}.block"
    stride = 2 if block in STRIDED_BLOCKS else 1
    layers = [f"{name}.{index}" for index in range(4) if f"{name}.{index}.0.weight" in state]
    x = inputs
    for layer in layers[:-1]:
        wide = state[f"{layer}.0.weight"].shape[-1] > 1
        x = activate(_convolve(x, state, layer, stride=stride if wide else 1))
    excitation = f"{name}.{len(layers) - 1}.conc_se_layers.0"
    if f"{excitation}.fc1.weight" in state:
        scale = keras.layers.GlobalAveragePooling2D(keepdims=True)(x)
        scale = keras.ops.relu(_dense(scale, state, f"{excitation}.fc1"))
        x *= keras.ops.sigmoid(_dense(scale, state, f"{excitation}.fc2"))
    x = _convolve(x, state, layers[-1])
    return x + inputs if x.shape == inputs.shape else x


def _convolve(x: keras.KerasTensor, state: State, name: str, *, stride: int = 1) -> keras.KerasTensor:
    """Apply a convolution, padded evenly on both sides, and its batch normalisation."""
    weight = state[f"{name}.0.weight"]
    gain = state[f"{name}.1.weight"] / np.sqrt(state[f"{name}.1.running_var"] + BATCH_NORM_EPSILON)
    bias = state[f"{name}.1.bias"] - gain * state[f"{name}.1.running_mean"]
    kernel = np.transpose(weight * gain[:, None, None, None], (2, 3, 1, 0))
    size = kernel.shape[0]
    if size > 1:
        x = keras.layers.ZeroPadding2D(size // 2)(x)
    if kernel.shape[2] == 1 and x.shape[-1] > 1:
        layer = keras.layers.DepthwiseConv2D(size, strides=stride)
        kernel = np.swapaxes(kernel, 2, 3)
    else:
        layer = keras.layers.Conv2D(len(weight), size, strides=stride)
    outputs = layer(x)
    layer.set_weights([kernel, bias])
    return outputs


def _dense(x: keras.KerasTensor, state: State, name: str) -> keras.KerasTensor:
    weight = state[f"{name}.weight"]
    layer = keras.layers.Dense(len(weight))
    outputs = layer(x)
    layer.set_weights([weight.T, state[f"{name}.bias"]])
    return outputs


class Mn04:
    """mn04 on windows of 10 s."""

    def __init__(self, directory: Path, threads: int = 2) -> None:
        """Load the network.

        Raises:
            ModelsError: its file is missing or is not what it should be.
        """
        model = build(read_state(directory / MODEL_FILE))
        converter = tf.lite.TFLiteConverter.from_keras_model(model)
        # The converter lists every tensor of its way there on the standard output.
        with redirect_stdout(StringIO()):
            content: bytes = converter.convert()
        self._interpreter = Interpreter(model_content=content, num_threads=threads)
        self._interpreter.allocate_tensors()
        self._input = self._interpreter.get_input_details()[0]["index"]
        # The converter gives outputs names and an order of its own; these two differ in rank.
        outputs = {len(detail["shape"]): detail["index"] for detail in self._interpreter.get_output_details()}
        self._logits, self._frames = outputs[2], outputs[3]

    def logits(self, windows: Sequence[Samples] | NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the logits of windows of at most 10 s at 16 kHz, zero-padded to 10 s: [n, samples] -> [n, 527]."""
        return np.stack([self._ask(spectrogram(window), self._logits) for window in windows])

    def clip_logits(self, samples: Samples) -> NDArray[np.float32]:
        """Return the logits of a clip's windows of 10 s, one behind the other: [windows, 527]."""
        return self.logits(list(cut(samples)))

    def frames(self, samples: Samples) -> NDArray[np.float32]:
        """Return the features over time of at most 10 s at 16 kHz, zero-padded to 10 s: [32 frames of 0.32 s, 384]."""
        return self._ask(spectrogram(samples[:WINDOW]), self._frames)

    def _ask(self, seen: NDArray[np.float32], output: int) -> NDArray[np.float32]:
        self._interpreter.set_tensor(self._input, seen[None, :, :, None])
        self._interpreter.invoke()
        answer: NDArray[np.float32] = self._interpreter.get_tensor(output)[0]
        return answer


def cut(samples: Samples) -> Iterator[Samples]:
    """Yield a clip in windows of 10 s; a last one shorter than 1 s only where it is the only one."""
    for start in range(0, max(1, len(samples)), WINDOW):
        window = samples[start : start + WINDOW]
        if start == 0 or len(window) >= SHORTEST_WINDOW:
            yield window


def hear_clips(
    directory: Path, recordings: Recordings, clips: Sequence[Clip], cache: Path
) -> dict[str, NDArray[np.float32]]:
    """Return mn04's logits of every clip, [windows of 10 s, 527], by path; what was asked before comes from `cache`."""
    path = cache / "mn04.npz"
    heard: dict[str, NDArray[np.float32]] = {}
    if path.is_file():
        with np.load(path) as stored:
            heard = {name: stored[name] for name in stored.files}
    missing = [clip for clip in clips if clip.path not in heard]
    if not missing:
        return heard
    network = Mn04(directory)
    for number, clip in enumerate(track(missing, "asking mn04"), 1):
        heard[clip.path] = network.clip_logits(recordings[clip.path])
        if number % CLIPS_BETWEEN_SAVES == 0 or number == len(missing):
            _save(path, heard)
    return heard


def _save(path: Path, heard: dict[str, NDArray[np.float32]]) -> None:
    unfinished = path.with_suffix(".unfinished.npz")
    np.savez(unfinished, allow_pickle=False, **heard)
    unfinished.replace(path)


def yamnet_columns(directory: Path) -> NDArray[np.int64]:
    """Return for each of YAMNet's 521 outputs which of mn04's means the same AudioSet class, -1 where none does."""
    own = {row["mid"]: int(row["index"]) for row in _rows(directory / LABELS_FILE)}
    columns = np.full(TEACHER_CLASSES, -1, np.int64)
    for row in _rows(directory / YAMNET_LABELS_FILE):
        columns[int(row["index"])] = own.get(row["mid"], -1)
    return columns


def _rows(path: Path) -> list[dict[str, str]]:
    try:
        with path.open(newline="", encoding="utf-8") as lines:
            return list(csv.DictReader(lines))
    except OSError as error:
        raise ModelsError(
            f"cannot read {path}: {error}; set ECHONET_TEACHERS to a folder that holds it"
        ) from None
