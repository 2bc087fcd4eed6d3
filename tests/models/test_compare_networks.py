"""What the networks of the comparison share: their images, how they learn, and public weights to start from."""

import json
from pathlib import Path

import h5py
import librosa
import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="TensorFlow is in .venv-models only: scripts/setup models")

import keras

from echonet_models.compare.classical.clip_features import class_weights
from echonet_models.compare.features.images import FRAMES, PATCH, Scaling, log_mel_patches, yamnet_patches
from echonet_models.compare.networks.cnn import build_cnn
from echonet_models.compare.networks.resnet import WEIGHTS_FILE, read_yamnet_layers
from echonet_models.compare.networks.training import fit_classifier, outputs, seeded
from echonet_models.compare.windows import WINDOW, Windows
from echonet_models.data.teachers import teachers_directory
from echonet_models.errors import ModelsError

from . import compare_data


def windows(*sounds: np.ndarray) -> Windows:
    """Return windows of these samples."""
    count = len(sounds)
    names, numbers = np.array(["a"] * count), np.zeros(count, np.int64)
    return Windows(np.stack(sounds).astype(np.float32), numbers, names, names, numbers)


def tone(pitch: float) -> np.ndarray:
    """Return one window."""
    return np.sin(2 * np.pi * pitch * np.arange(WINDOW) / 16000)


@pytest.mark.parametrize("pitch", [400.0, 1500.0, 5000.0])
def test_both_images_have_a_tone_in_its_band_in_all_frames(pitch: float) -> None:
    patch = log_mel_patches(windows(tone(pitch)))[0]
    assert patch.shape == (FRAMES, PATCH.bands)
    band = int(
        np.abs(
            librosa.mel_frequencies(PATCH.bands + 2, fmin=PATCH.low, fmax=PATCH.high)[1:-1] - pitch
        ).argmin()
    )
    assert (np.abs(patch.argmax(axis=1) - band) <= 1).all()
    like_yamnet = yamnet_patches(windows(tone(pitch)))[0]
    mel = 1127 * np.log1p(pitch / 700)
    lowest, highest = 1127 * np.log1p(125 / 700), 1127 * np.log1p(7500 / 700)
    expected = (mel - lowest) / (highest - lowest) * (PATCH.bands + 1) - 1
    # The last frame of YAMNet reaches past the window.
    assert (np.abs(like_yamnet.argmax(axis=1)[:-2] - expected) <= 1).all()


def test_silence_is_yamnets_floor() -> None:
    np.testing.assert_allclose(yamnet_patches(windows(np.zeros(WINDOW))), np.log(0.001), rtol=1e-5)


def test_scaling_gives_every_band_mean_zero_and_deviation_one() -> None:
    patches = np.random.default_rng(0).normal(3, 2, (5, FRAMES, 4)).astype(np.float32) * np.arange(
        1, 5, dtype=np.float32
    )
    scaled = Scaling.of(patches).apply(patches)
    assert scaled.shape == (5, FRAMES, 4, 1)
    np.testing.assert_allclose(scaled.mean(axis=(0, 1, 3)), 0, atol=1e-4)
    np.testing.assert_allclose(scaled.std(axis=(0, 1, 3)), 1, atol=1e-2)


def test_every_class_counts_as_much_as_any_other() -> None:
    labels = np.array([0, 0, 0, 3, 3, 8])
    weights = class_weights(labels)
    sums = [weights[labels == label].sum() for label in (0, 3, 8)]
    np.testing.assert_allclose(sums, 2, rtol=1e-6)


def test_a_network_is_the_same_for_a_seed_and_ends_in_its_best_epoch() -> None:
    generator = np.random.default_rng(0)
    labels = np.arange(60) % 3
    inputs = (generator.normal(size=(60, 4)) + 2 * np.eye(4)[labels]).astype(np.float32)

    def trained(seed: int) -> np.ndarray:
        def build() -> keras.Model:
            layers = keras.layers
            chain = [layers.Dense(8, "relu"), layers.Dropout(0.5), layers.Dense(3, "softmax")]
            return keras.Sequential([keras.Input((4,)), *chain])

        network = seeded(build, seed)
        # A rate far too high: some epochs are worse than the one before.
        fit_classifier(
            network, (inputs, labels), (inputs, labels), compare_data.folds()[0], rate=0.5, epochs=6
        )
        losses = network.history.history["val_loss"]
        own: np.ndarray = outputs(network, inputs)[np.arange(60), labels]
        assert float(-np.log(own).mean()) == pytest.approx(min(losses), rel=1e-3)
        assert len(set(losses)) > 1
        return own

    first = trained(5)
    np.testing.assert_array_equal(first, trained(5))
    assert not np.array_equal(first, trained(6))


def test_regularised_variants_differ_as_they_say() -> None:
    plain, regular = build_cnn(), build_cnn(dropout=0.4, l2=1e-3)
    assert plain.count_params() == regular.count_params()
    assert not plain.losses
    assert regular.losses
    assert [layer.rate for layer in regular.layers if isinstance(layer, keras.layers.Dropout)] == [0.4, 0.4]


def keras_2_file(path: Path, *, kind: str = "ReLU") -> dict[str, np.ndarray]:
    """Write a file of one convolution in the layout of Keras 2; return its arrays."""
    generator = np.random.default_rng(2)
    convolution = {
        "name": "layer1/conv",
        "filters": 3,
        "kernel_size": [3, 3],
        "strides": [2, 2],
        "padding": "same",
        "use_bias": False,
    }
    norm = {"name": "layer1/conv/bn", "momentum": 0.99, "epsilon": 1e-4, "scale": False}
    inner = [
        {"class_name": "InputLayer", "config": {"name": "input"}},
        {"class_name": "Conv2D", "config": convolution},
        {"class_name": "BatchNormalization", "config": norm},
        {"class_name": kind, "config": {"name": "layer1/relu"}},
    ]
    outer = [{"class_name": "InputLayer"}, {"class_name": "Functional", "config": {"layers": inner}}]
    arrays = {
        "layer1/conv/kernel:0": generator.normal(size=(3, 3, 1, 3)),
        "layer1/conv/bn/beta:0": generator.normal(size=3),
        "layer1/conv/bn/moving_mean:0": generator.normal(size=3),
        "layer1/conv/bn/moving_variance:0": generator.uniform(0.5, 2, 3),
    }
    with h5py.File(path / WEIGHTS_FILE, "w") as stream:
        stream.attrs["model_config"] = json.dumps({"config": {"layers": outer}})
        for name, values in arrays.items():
            stream[f"model_weights/model_2/{name}"] = values.astype(np.float32)
    return arrays


def test_the_weights_of_a_keras_2_file_land_where_they_belong(tmp_path: Path) -> None:
    arrays = keras_2_file(tmp_path)
    network = read_yamnet_layers(tmp_path)
    image = np.random.default_rng(3).normal(size=(1, FRAMES, PATCH.bands, 1)).astype(np.float32)
    # Both sides are even: padding "same" at a stride of two adds a row and a column at their ends.
    padded = np.pad(image[0, :, :, 0], ((0, 1), (0, 1)))
    seen = np.lib.stride_tricks.sliding_window_view(padded, (3, 3))[::2, ::2]
    convolved = np.einsum("tfij,ijc->tfc", seen, arrays["layer1/conv/kernel:0"][:, :, 0])
    mean, variance = (arrays[f"layer1/conv/bn/moving_{name}:0"] for name in ("mean", "variance"))
    normal = (convolved - mean) / np.sqrt(variance + 1e-4) + arrays["layer1/conv/bn/beta:0"]
    np.testing.assert_allclose(
        np.asarray(network(image))[0], np.maximum(normal, 0).mean(axis=(0, 1)), rtol=1e-4
    )


def test_another_file_is_refused_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(ModelsError, match="set ECHONET_TEACHERS"):
        read_yamnet_layers(tmp_path)
    keras_2_file(tmp_path, kind="Softplus")
    with pytest.raises(ModelsError, match=WEIGHTS_FILE):
        read_yamnet_layers(tmp_path)


def test_the_public_layers_give_an_embedding_that_tells_tones_from_noise() -> None:
    try:
        network = read_yamnet_layers(teachers_directory())
    except ModelsError as error:
        pytest.skip(str(error))
    noise = [np.random.default_rng(seed).normal(0, 0.1, WINDOW) for seed in range(2)]
    sounds = windows(*noise, tone(1000.0), tone(1100.0))
    embedded = np.asarray(network(yamnet_patches(sounds)[..., None]))
    assert embedded.shape == (4, 256)
    length = np.linalg.norm(embedded, axis=1)
    alike = embedded @ embedded.T / np.outer(length, length)
    assert min(alike[0, 1], alike[2, 3]) > alike[:2, 2:].max() + 0.1
