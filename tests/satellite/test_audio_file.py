"""Sound files of every kind become 16 kHz mono; what cannot be read is said in one line."""

from pathlib import Path
import time

import numpy as np
import pytest
import soundfile

from echonet_satellite.audio import AudioError, SourceEnded, SourceKind
from echonet_satellite.audio.file import read_blocks
from echonet_satellite.audio.playback import open_file, open_samples
from echonet_satellite.frontend import Floats
from tests.support.hearing import RATE, noise


def tone(rate: int, seconds: float = 1.0, pitch: float = 1000.0) -> np.ndarray:
    """Return a sine."""
    return 0.5 * np.sin(2 * np.pi * pitch * np.arange(int(rate * seconds)) / rate)


def read(path: Path) -> Floats:
    """Return a whole file."""
    return np.concatenate(list(read_blocks(path, 0.1)))


@pytest.mark.parametrize(
    ("suffix", "subtype", "rate", "channels"),
    [
        ("wav", "PCM_24", 96000, 2),
        ("wav", "PCM_16", 8000, 1),
        ("wav", "PCM_U8", 11025, 1),
        ("wav", "FLOAT", 48000, 6),
        ("wav", "DOUBLE", 16000, 1),
        ("flac", "PCM_16", 44100, 2),
        ("ogg", "VORBIS", 44100, 2),
        ("ogg", "OPUS", 48000, 1),
        ("mp3", "MPEG_LAYER_III", 44100, 2),
    ],
)
def test_any_file_becomes_16_khz_mono(
    tmp_path: Path, suffix: str, subtype: str, rate: int, channels: int
) -> None:
    path = tmp_path / f"tone.{suffix}"
    soundfile.write(path, np.repeat(tone(rate)[:, None], channels, axis=1), rate, subtype=subtype)
    samples = read(path)
    assert samples.dtype == np.float32
    assert abs(len(samples) - RATE) < 0.1 * RATE
    middle = samples[4000:12000]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
    assert spectrum.argmax() * RATE / len(middle) == pytest.approx(1000, abs=4)
    assert np.abs(middle).max() == pytest.approx(0.5, abs=0.05)


def test_the_two_channels_are_mixed(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.stack([tone(RATE), -tone(RATE)], axis=1), RATE)
    assert np.abs(read(tmp_path / "a.wav")).max() < 1e-3


def test_a_file_at_16_khz_stays_as_it_is(tmp_path: Path) -> None:
    samples = noise(1.23)
    soundfile.write(tmp_path / "a.wav", samples, RATE, subtype="FLOAT")
    np.testing.assert_array_equal(read(tmp_path / "a.wav"), samples)


def test_what_is_not_a_number_is_silence(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.array([0.5, np.nan, np.inf, -np.inf] * 100), RATE, subtype="FLOAT")
    samples = read(tmp_path / "a.wav")
    assert samples[:4].tolist() == [0.5, 0.0, 1.0, -1.0]


def test_a_long_file_comes_in_blocks(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", noise(10), RATE)
    sizes = [len(block) for block in read_blocks(tmp_path / "a.wav", 0.5)]
    assert sizes == [8000] * 20


def bad_file(folder: Path, kind: str) -> Path:
    """Make a file that cannot be read."""
    path = folder / f"{kind}.wav"
    if kind == "empty":
        path.touch()
    elif kind == "garbage":
        path.write_bytes(b"this is not sound" * 500)
    elif kind == "soundless":
        soundfile.write(path, np.zeros(0), RATE)
    elif kind == "folder":
        path.mkdir()
    elif kind == "damaged":
        path = path.with_suffix(".flac")
        soundfile.write(path, noise(4), RATE)
        path.write_bytes(path.read_bytes()[:60_000])
    elif kind == "raw":
        path = path.with_suffix(".raw")
        path.write_bytes(bytes(1000))
    return path


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("empty", "is empty"),
        ("garbage", "cannot be read as a sound file: format not recognised"),
        ("soundless", "holds no sound"),
        ("folder", "is a folder"),
        ("missing", "does not exist"),
        ("damaged", r"is damaged after \d\.\d s"),
        ("raw", "cannot be read as a sound file"),
    ],
)
def test_a_bad_file_is_named_in_one_line(tmp_path: Path, kind: str, said: str) -> None:
    path = bad_file(tmp_path, kind)
    with pytest.raises(AudioError, match=said) as caught:
        read(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_truncated_wav_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, noise(2), RATE)
    path.write_bytes(path.read_bytes()[: RATE * 2 + 44])
    assert len(read(path)) == RATE


def test_a_bad_file_is_found_when_it_is_opened(tmp_path: Path) -> None:
    with pytest.raises(AudioError, match="is empty"):
        open_file(bad_file(tmp_path, "empty"))


def test_a_file_is_played_at_its_own_pace(tmp_path: Path) -> None:
    samples = noise(0.5)
    soundfile.write(tmp_path / "a.wav", samples, RATE, subtype="FLOAT")
    source = open_file(tmp_path / "a.wav")
    assert source.kind is SourceKind.FILE
    for _ in range(2):  # it begins anew when it is opened again
        source.open()
        blocks = []
        for _ in range(7):
            block = source.read(1.0)
            assert block is not None
            # A block is there when its last sample has sounded, and not before.
            assert time.monotonic() >= block.captured + len(block.samples) / RATE - 1e-3
            blocks.append(block)
        with pytest.raises(SourceEnded):
            source.read(1.0)
        np.testing.assert_array_equal(np.concatenate([block.samples for block in blocks]), samples)
        assert blocks[-1].captured - blocks[0].captured == pytest.approx(0.48)
        source.close()


def test_a_block_that_is_not_due_is_not_given() -> None:
    source = open_samples(noise(0.2), "noise")
    source.open()
    assert source.read(0.001) is None
    assert source.read(1.0) is not None


def test_what_is_not_open_gives_nothing() -> None:
    with pytest.raises(AudioError, match="is not open"):
        open_samples(noise(0.2), "noise").read(0.1)
