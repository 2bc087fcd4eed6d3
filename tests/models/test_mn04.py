"""The second teacher: a loader that runs no foreign code, what the network sees, and what it hears in recordings."""

import csv
from pathlib import Path
import pickle
import zipfile

import numpy as np
import pytest
import soxr

pytest.importorskip("tensorflow", reason="TensorFlow is in .venv-models only: scripts/setup models")

from echonet_models import mn04
from echonet_models.checkpoints import read_state
from echonet_models.datasets import Clip, data_directory, read_manifest
from echonet_models.errors import ModelsError
from echonet_models.mn04 import Mn04
from echonet_models.recordings import SAMPLE_RATE, open_recordings, read_audio
from echonet_models.teachers import CLASS_MAP_FILE


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
    seen = mn04.spectrogram(samples)
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


@pytest.mark.parametrize(
    ("seconds", "lengths"),
    [(0.5, [0.5]), (10, [10]), (10.9, [10]), (11, [10, 1]), (25, [10, 10, 5])],
)
def test_a_clip_is_cut_in_windows_of_ten_seconds(seconds: float, lengths: list[float]) -> None:
    windows = list(mn04.cut(np.zeros(int(seconds * SAMPLE_RATE), np.float32)))
    assert [len(window) / SAMPLE_RATE for window in windows] == lengths


@pytest.fixture(scope="module")
def network(teachers: Path) -> Mn04:
    return Mn04(teachers, threads=1)


def test_each_output_of_yamnet_finds_its_own(teachers: Path) -> None:
    names = []
    for file in (mn04.YAMNET_LABELS_FILE, mn04.LABELS_FILE):
        with (teachers / file).open(newline="", encoding="utf-8") as lines:
            names.append([row["display_name"] for row in csv.DictReader(lines)])
    columns = mn04.yamnet_columns(teachers)
    assert columns.shape == (521,)
    assert len(set(columns[columns >= 0])) == (columns >= 0).sum() > 500
    for ours in ("Dog", "Baby cry, infant cry", "Smoke detector, smoke alarm"):
        assert names[1][columns[names[0].index(ours)]] == ours


def test_silence_makes_no_difference_behind_a_window(network: Mn04) -> None:
    # Faded, for a resampler rings where a sound breaks off.
    noise = np.random.default_rng(0).normal(0, 0.1, SAMPLE_RATE)
    short = (noise * np.hanning(SAMPLE_RATE)).astype(np.float32)
    long = np.pad(short, (0, 3 * SAMPLE_RATE))
    assert network.logits([short])[0] == pytest.approx(network.logits([long])[0], abs=0.01)


def test_it_hears_what_recordings_hold(network: Mn04, teachers: Path) -> None:
    try:
        data = data_directory()
    except ModelsError as error:
        pytest.skip(str(error))
    clips = [clip for clip in read_manifest(data) if clip.source == "karolpiczak/ESC-10"]
    if not clips:
        pytest.skip("no clips of ESC-10 in the data")
    core: dict[str, list[int]] = {}
    with (teachers / CLASS_MAP_FILE).open(newline="", encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            if row["role"] == "core" and row["audioset_index_527"]:
                core.setdefault(row["our_class"], []).append(int(row["audioset_index_527"]))
    chosen = {
        label: [clip for clip in clips if clip.label == label][:8] for label in ("dog", "baby_cry", "fire")
    }
    everything = [(label, clip) for label, some in chosen.items() for clip in some]
    logits = np.concatenate([network.clip_logits(read_audio(data / clip.path)) for _, clip in everything])
    labels = np.array([label for label, _ in everything])
    for label in chosen:
        scores = logits[:, core[label]].max(axis=1)
        # The chance that a clip of the class scores above another one.
        above = scores[labels == label][:, None] > scores[labels != label]
        assert above.mean() > 0.9, label


def test_what_was_asked_once_comes_from_the_cache(
    small_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Counting:
        asked: int = 0

        def __init__(self, directory: Path) -> None:
            pass

        def clip_logits(self, samples: np.ndarray) -> np.ndarray:
            Counting.asked += 1
            return np.full((1, mn04.OUTPUTS), samples.mean(), np.float32)

    monkeypatch.setattr(mn04, "Mn04", Counting)
    clips: list[Clip] = read_manifest(small_data)[:5]
    recordings = open_recordings(small_data, clips, tmp_path)
    mn04.hear_clips(tmp_path, recordings, clips[:3], tmp_path)
    assert Counting.asked == 3
    heard = mn04.hear_clips(tmp_path, recordings, clips, tmp_path)
    assert Counting.asked == 5
    assert set(heard) == {clip.path for clip in clips}
    assert heard[clips[4].path][0, 0] == pytest.approx(recordings[clips[4].path].mean())
