"""Sound files of every kind become 16 kHz mono; what cannot be read is said in one line."""

import os
from pathlib import Path
import struct
import threading
import time
from typing import Any

import numpy as np
import pytest
import soundfile

from echonet_satellite.audio import AudioError, SourceEnded, SourceKind
from echonet_satellite.audio.file import read_blocks
from echonet_satellite.audio.playback import open_file, open_samples
from echonet_satellite.channel import Blend, Channel
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


@pytest.mark.parametrize("channel", [Blend.LOUDEST, Blend.MIX, 2])
def test_two_channels_in_opposite_phase_do_not_cancel(tmp_path: Path, channel: Channel) -> None:
    soundfile.write(tmp_path / "a.wav", np.stack([tone(48000), -tone(48000)], axis=1), 48000)
    samples = np.concatenate(list(read_blocks(tmp_path / "a.wav", 0.1, channel)))
    assert np.abs(samples[4000:12000]).max() == pytest.approx(0.5, abs=0.01)


def test_a_channel_that_a_file_does_not_have(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", noise(0.1), RATE)
    with pytest.raises(AudioError, match="there is no channel 2: it has only one channel"):
        list(read_blocks(tmp_path / "a.wav", channel=2))


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


def wav(frames: Floats, rate: int = RATE, length: int | None = None) -> bytes:
    """Return a WAV file of 16 bits that says what it likes of itself."""
    data = (frames * 32767).astype("<i2").tobytes()
    channels = frames.shape[1]
    per_second = rate * 2 * channels % 2**32
    kind = struct.pack("<HHIIHH", 1, channels, rate, per_second, 2 * channels % 2**16, 16)
    size = len(data) if length is None else length
    head = b"RIFF" + struct.pack("<I", 36 + len(data)) + b"WAVEfmt " + struct.pack("<I", 16)
    return head + kind + b"data" + struct.pack("<I", size) + data


def bad_file(folder: Path, kind: str) -> Path:
    """Make a file that cannot be read."""
    path = folder / f"{kind}.wav"
    if kind == "empty":
        path.touch()
    elif kind == "garbage":
        path.write_bytes(b"this is not sound" * 500)
    elif kind in {"hertz", "megahertz", "channels"}:
        rate = {"hertz": 1, "megahertz": 48_000_000}.get(kind, RATE)
        channels = 1024 if kind != "hertz" else 1
        path.write_bytes(wav(np.zeros((8, channels), np.float32), rate))
    elif kind == "soundless":
        soundfile.write(path, np.zeros(0), RATE)
    elif kind == "folder":
        path.mkdir()
    elif kind == "damaged":
        path = path.with_suffix(".flac")
        soundfile.write(path, noise(4), RATE)
        path.write_bytes(path.read_bytes()[:60_000])
    elif kind == "mp3":
        path = path.with_suffix(".mp3")
        path.write_bytes(np.random.default_rng(1).bytes(5000))
    elif kind == "raw":
        path = path.with_suffix(".raw")
        path.write_bytes(bytes(1000))
    return path


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("empty", "is empty"),
        ("garbage", "cannot be read as a sound file: format not recognised"),
        ("hertz", "sample rate of 1 Hz, which no sound has"),
        ("megahertz", "sample rate of 48000000 Hz, which no sound has"),
        ("channels", "has 1024 channels; 64 can be heard"),
        ("soundless", "holds no sound"),
        ("folder", "is a folder"),
        ("missing", "does not exist"),
        ("damaged", r"is damaged after \d\.\d s"),
        ("raw", "cannot be read as a sound file"),
        ("mp3", "there is no sound in it; give a WAV"),
    ],
)
def test_a_bad_file_is_named_in_one_line(tmp_path: Path, kind: str, said: str) -> None:
    path = bad_file(tmp_path, kind)
    with pytest.raises(AudioError, match=said) as caught:
        read(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("length", [0, 0xFFFFFFFF])
def test_a_wav_whose_recorder_never_came_to_write_its_length(tmp_path: Path, length: int) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(wav(noise(1.0)[:, None], length=length))
    assert len(read(path)) == RATE


@pytest.mark.parametrize("suffix", ["wav", "unfinished.wav", "ogg", "mp3", "flac"])
def test_sound_comes_through_a_pipe(tmp_path: Path, suffix: str) -> None:
    if suffix == "flac":
        pytest.importorskip("av")
    sent = tmp_path / f"a.{suffix}"
    if suffix == "unfinished.wav":
        sent.write_bytes(wav(noise(2.0)[:, None], length=0))
    else:
        soundfile.write(sent, noise(2.0), RATE)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    sender = threading.Thread(target=lambda: pipe.write_bytes(sent.read_bytes()))
    sender.start()
    assert len(read(pipe)) == pytest.approx(2 * RATE, abs=2000)
    sender.join()


def test_a_pipe_that_sends_nothing_or_no_sound(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for sent, said in ((b"", "is empty"), (b"RIFF, but no sound at all" * 400, "cannot be read as sound")):
        sender = threading.Thread(target=pipe.write_bytes, args=(sent,))
        sender.start()
        with pytest.raises(AudioError, match=said):
            read(pipe)
        sender.join()
    # What copies the pipe ends when it finds that nobody reads any more.
    for thread in threading.enumerate():
        if thread.name == "pipe":
            thread.join(60)
            assert not thread.is_alive()


@pytest.mark.parametrize(("suffix", "codec", "rate"), [("m4a", "aac", 44100), ("webm", "libopus", 48000)])
def test_a_recording_of_a_phone_is_heard(tmp_path: Path, suffix: str, codec: str, rate: int) -> None:
    av = pytest.importorskip("av")
    path = tmp_path / f"memo.{suffix}"
    encode(av, path, codec, rate, tone(rate, 2.0))
    samples = read(path)
    assert len(samples) == pytest.approx(2 * RATE, abs=1600)
    middle = samples[8000:24000]
    assert np.abs(np.fft.rfft(middle)).argmax() == pytest.approx(1000, abs=4)


def encode(av: Any, path: Path, codec: str, rate: int, samples: Floats) -> None:
    """Write a file with FFmpeg, of two channels."""
    frame = av.AudioFrame.from_ndarray(
        np.tile(samples.astype(np.float32), (2, 1)), format="fltp", layout="stereo"
    )
    frame.sample_rate = rate
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=rate)
        stream.layout = "stereo"
        resampler = av.AudioResampler(
            format=stream.codec_context.format, layout="stereo", rate=rate, frame_size=960
        )
        for part in (*resampler.resample(frame), *resampler.resample(None), None):
            container.mux(stream.encode(part))


def test_a_recording_may_not_name_other_files_to_be_heard(tmp_path: Path) -> None:
    pytest.importorskip("av")
    soundfile.write(tmp_path / "secret.wav", noise(1.0), RATE)
    playlist = tmp_path / "list.m3u8"
    playlist.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nsecret.wav\n#EXT-X-ENDLIST\n")
    with pytest.raises(AudioError, match="cannot be read as a sound file"):
        read(playlist)


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
