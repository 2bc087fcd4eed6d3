"""The teachers: a loader that runs no foreign code, what the network sees, and what it hears in recordings."""

from pathlib import Path
import pickle
import zipfile

import numpy as np
import pytest
import soxr

pytest.importorskip("tensorflow", reason="TensorFlow is in .venv-models only: scripts/setup models")

from echonet_models.data import teachers as teachers_module
from echonet_models.data.manifest import data_directory, read_manifest
from echonet_models.data.recordings import SAMPLE_RATE, Recordings, open_recordings, read_audio
from echonet_models.data.teachers import (
    AUDIOSET_CLASSES,
    Lesson,
    Mn04,
    Yamnet,
    ask_teachers,
    joint_logits,
    mn04_spectrogram,
    read_class_map,
)
from echonet_models.errors import ModelsError
from echonet_models.network.checkpoints import read_state


class Malicious:
    """What an attacker would store: unpickled by the standard library it makes a directory."""

    def __init__(self, trace: Path) -> None:
        self._trace = trace

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return Path.mkdir, (self._trace,)


def checkpoint(path: Path, data: bytes, storages: dict[str, bytes] | None = None) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", data)
        for key, numbers in (storages or {}).items():
            archive.writestr(f"archive/data/{key}", numbers)
    return path


def tensor_pickle(size: tuple[int, ...], stride: tuple[int, ...]) -> bytes:
    """Return the pickle of {"weight": tensor}, in the opcodes that PyTorch writes."""
    storage = b"((S'storage'\nctorch\nFloatStorage\nS'0'\nS'cpu'\nI6\ntQ"
    arguments = b"".join(
        b"(" + b"".join(b"I%d\n" % number for number in numbers) + b"t" for numbers in (size, stride)
    )
    rebuilt = b"ctorch._utils\n_rebuild_tensor_v2\n" + storage + b"I0\n" + arguments + b"I00\n}tR"
    return b"\x80\x02}S'weight'\n" + rebuilt + b"s."


def test_it_reads_a_tensor_as_its_strides_say(tmp_path: Path) -> None:
    numbers = np.arange(6, dtype="<f4").tobytes()
    state = read_state(checkpoint(tmp_path / "a.pt", tensor_pickle((3, 2), (1, 3)), {"0": numbers}))
    assert state["weight"].tolist() == [[0, 3], [1, 4], [2, 5]]


def test_it_refuses_a_tensor_that_reaches_beyond_its_storage(tmp_path: Path) -> None:
    path = checkpoint(tmp_path / "a.pt", tensor_pickle((3, 2), (2, 2)), {"0": bytes(24)})
    with pytest.raises(ModelsError, match="beyond its storage"):
        read_state(path)


def test_it_runs_no_code_of_a_file(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    path = checkpoint(tmp_path / "a.pt", pickle.dumps({"weight": Malicious(trace)}))
    with pytest.raises(ModelsError, match="is no checkpoint of plain tensors"):
        read_state(path)
    assert not trace.exists()


@pytest.mark.parametrize("content", [[1.0], {"weight": 1.0}, {"weight": "x"}])
def test_it_refuses_what_is_no_tensor(tmp_path: Path, content: object) -> None:
    with pytest.raises(ModelsError, match="something else than named tensors"):
        read_state(checkpoint(tmp_path / "a.pt", pickle.dumps(content)))


def test_it_refuses_what_is_no_archive(tmp_path: Path) -> None:
    (tmp_path / "a.pt").write_bytes(pickle.dumps({}))
    with pytest.raises(ModelsError, match="cannot read"):
        read_state(tmp_path / "a.pt")
    with pytest.raises(ModelsError, match="cannot read"):
        read_state(tmp_path / "absent.pt")


def test_the_spectrogram_is_what_its_formulas_say() -> None:
    generator = np.random.default_rng(0)
    samples = generator.normal(0, 0.1, 2 * SAMPLE_RATE).astype(np.float32)
    seen = mn04_spectrogram(samples)
    assert seen.shape == (128, 1000)

    # One frame, each number from its definition.
    sound = np.zeros(320000)
    sound[:64000] = soxr.resample(samples, 16000, 32000)
    sharpened = sound[1:] - 0.97 * sound[:-1]
    mel_step = 1127 * np.log(1 + 15000 / 700) / 129
    for frame in (7, 100, 190):
        centre = frame * 320
        piece = np.array(
            [sharpened[centre - 400 + n] * (0.5 - 0.5 * np.cos(2 * np.pi * n / 799)) for n in range(800)]
        )
        for band in (0, 3, 64, 127):
            energy = 0.0
            for bin_ in range(512):
                mel = 1127 * np.log(1 + bin_ * 31.25 / 700)
                weight = max(0.0, 1 - abs(mel - (band + 1) * mel_step) / mel_step)
                if weight > 0:
                    turn = np.exp(-2j * np.pi * bin_ / 1024 * np.arange(800))
                    energy += weight * abs((piece * turn).sum()) ** 2
            assert seen[band, frame] == pytest.approx((np.log(energy + 1e-5) + 4.5) / 5, abs=2e-3)

    # Behind the sound there is silence up to 10 s.
    assert seen[:, 205:] == pytest.approx((np.log(1e-5) + 4.5) / 5)


@pytest.fixture(scope="module")
def network(teachers: Path) -> Mn04:
    return Mn04(teachers)


def test_silence_makes_no_difference_behind_a_sound(network: Mn04) -> None:
    # Faded, for a resampler rings where a sound breaks off.
    noise = np.random.default_rng(0).normal(0, 0.1, SAMPLE_RATE)
    short = (noise * np.hanning(SAMPLE_RATE)).astype(np.float32)
    long = np.pad(short, (0, 3 * SAMPLE_RATE))
    assert network.logits(short) == pytest.approx(network.logits(long), abs=0.01)


def test_both_teachers_name_the_same_classes(teachers: Path) -> None:
    class_map = read_class_map(teachers)
    known = class_map.yamnet[class_map.yamnet >= 0]
    assert len(set(known)) == len(known) > 500
    assert {len(own) > 0 for own in class_map.meanings} == {True}


def test_they_hear_what_recordings_hold(network: Mn04, teachers: Path) -> None:
    try:
        data = data_directory()
    except ModelsError as error:
        pytest.skip(str(error))
    clips = [clip for clip in read_manifest(data) if clip.source == "karolpiczak/ESC-10"]
    if not clips:
        pytest.skip("no clips of ESC-10 in the data")
    yamnet, class_map = Yamnet(teachers), read_class_map(teachers)
    everything = [
        (label, clip)
        for label in ("dog", "baby_cry", "fire")
        for clip in [clip for clip in clips if clip.label == label][:8]
    ]
    logits = np.stack(
        [
            joint_logits(read_audio(data / clip.path)[: teachers_module.STRETCH], yamnet, network, class_map)
            for _, clip in everything
        ]
    )
    labels = np.array([label for label, _ in everything])
    for label in set(labels):
        scores = logits[:, class_map.core[label]].max(axis=1)
        # The chance that a clip of the class scores above another one.
        above = scores[labels == label][:, None] > scores[labels != label]
        assert above.mean() > 0.85, label


def test_what_was_asked_once_comes_from_the_cache(
    small_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def listen(samples: np.ndarray, *_: object) -> Lesson:
        asked.append(len(samples))
        return Lesson(np.array([0]), np.full((1, AUDIOSET_CLASSES), samples.mean(), np.float32))

    for name in ("Yamnet", "Mn04", "read_class_map"):
        monkeypatch.setattr(teachers_module, name, lambda directory: directory)
    monkeypatch.setattr(teachers_module, "_listen", listen)
    clips = read_manifest(small_data)[:5]
    recordings: Recordings = open_recordings(small_data, clips, tmp_path)
    ask_teachers(tmp_path, recordings, clips[:3], tmp_path)
    assert len(asked) == 3
    heard = ask_teachers(tmp_path, recordings, clips, tmp_path)
    assert len(asked) == 5
    assert set(heard) == {clip.path for clip in clips}
    assert heard[clips[4].path].logits[0, 0] == pytest.approx(recordings[clips[4].path].mean(), abs=1e-3)
