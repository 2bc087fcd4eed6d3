"""The command `record`, as a person uses it, and what it does to a recording."""

import os
from pathlib import Path

from hypothesis import given, strategies as st
import numpy as np
import pytest
import soundfile

from echonet_satellite import cli
from echonet_satellite.audio import SAMPLE_RATE
from echonet_satellite.frontend import Floats
from echonet_satellite.recording import band, normalised, sounds, trimmed


def tone(seconds: float, hz: float = 1000.0, level: float = 0.1) -> Floats:
    return (level * np.sin(2 * np.pi * hz * np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE)).astype(
        np.float32
    )


def quiet(seconds: float) -> Floats:
    return (1e-4 * np.random.default_rng(1).standard_normal(round(seconds * SAMPLE_RATE))).astype(np.float32)


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    """Two sounds of 0.3 s and a second apart, with quiet around them."""
    path = tmp_path / "scene.wav"
    parts = (quiet(0.6), tone(0.3), quiet(1.0), tone(0.3), quiet(0.6))
    soundfile.write(path, np.concatenate(parts), SAMPLE_RATE)
    return path


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read no configuration of whoever runs the tests."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))


def record(scene: Path, *arguments: object) -> int:
    return cli.main(["record", "--source", str(scene), *map(str, arguments)])


def test_a_recording_is_what_was_heard(scene: Path, tmp_path: Path) -> None:
    out = tmp_path / "all.flac"
    assert record(scene, out, "--seconds", 60) == 0
    samples, rate = soundfile.read(out)
    wanted, _ = soundfile.read(scene)
    assert rate == SAMPLE_RATE
    np.testing.assert_allclose(samples, wanted, atol=1e-4)
    assert out.stat().st_mode & 0o077 == 0
    assert soundfile.SoundFile(out).comment == ""


def test_the_name_of_a_recording_may_be_any_bytes(
    scene: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    source, out = (tmp_path / os.fsdecode(name) for name in (b"caf\xe9.wav", b"sal\xf3n.flac"))
    scene.rename(source)
    assert record(source, out, "--seconds", 1) == 0
    assert out.stat().st_size > 1000
    assert "sal\\udcf3n.flac  1.0 s" in capfd.readouterr().out


def test_quiet_is_trimmed_and_the_loudest_made_loud(scene: Path, tmp_path: Path) -> None:
    out = tmp_path / "trimmed.wav"
    assert record(scene, out, "--trim", "--normalise") == 0
    samples, _ = soundfile.read(out)
    assert len(samples) / SAMPLE_RATE == pytest.approx(0.2 + 0.3 + 1.0 + 0.3 + 0.2, abs=0.05)
    assert np.abs(samples).max() == pytest.approx(10 ** (-1 / 20), abs=0.01)


def test_each_sound_becomes_a_file_with_its_place(scene: Path, tmp_path: Path) -> None:
    place = ("--latitude", 52.5, "--longitude", 13.4)
    assert record(scene, tmp_path / "piece.flac", "--split", "--with-location", *place) == 0
    files = sorted(tmp_path.glob("piece*"))
    assert [path.name for path in files] == ["piece-1.flac", "piece-2.flac"]
    for path in files:
        with soundfile.SoundFile(path) as file:
            assert file.frames / SAMPLE_RATE == pytest.approx(0.7, abs=0.05)
            assert file.comment == "latitude=52.5 longitude=13.4"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("out.mp3",), "must end in .flac or .wav"),
        (("out.wav", "--seconds", "0"), "--seconds"),
        (("out.wav", "--seconds", "nan"), "--seconds"),
        (("out.wav", "--seconds", "999999"), "--seconds"),
        (("out.wav", "--high-pass", "9000"), "--high-pass"),
        (("out.wav", "--high-pass", "900", "--low-pass", "800"), "below --low-pass"),
        (("out.wav", "--with-location"), "no location"),
        (("no/such/folder/out.wav", "--seconds", "0.2"), "cannot write"),
    ],
)
def test_what_cannot_be_ends_with_one_line(
    scene: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], arguments: tuple[str, ...], says: str
) -> None:
    name, *options = arguments
    assert record(scene, tmp_path / name, *options) in {1, 2}
    told = capfd.readouterr().err
    assert says in told
    assert told.count("\n") == 1
    assert not (tmp_path / name).exists()


def test_nothing_is_written_over(scene: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "kept.wav"
    out.write_bytes(b"precious")
    assert record(scene, out) == 1
    assert out.read_bytes() == b"precious"
    assert "already" in capfd.readouterr().err
    assert record(scene, out, "--force", "--seconds", 0.5) == 0
    assert soundfile.info(out).frames == SAMPLE_RATE // 2


def test_filters_leave_what_lies_between_and_move_nothing() -> None:
    low, middle, high = tone(1, 100), tone(1, 1000), tone(1, 5000)
    kept = band(low + middle + high, low_hz=400, high_hz=3000)
    inner = slice(2000, -2000)
    np.testing.assert_allclose(kept[inner], middle[inner], atol=2e-3)
    np.testing.assert_allclose(band(low + high, low_hz=400)[inner], high[inner], atol=2e-3)
    np.testing.assert_allclose(band(low + high, high_hz=3000)[inner], low[inner], atol=2e-3)


def test_a_recording_of_nothing_stays_as_it_is() -> None:
    for nothing in (np.zeros(0, np.float32), np.zeros(SAMPLE_RATE, np.float32)):
        assert sounds(nothing) == []
        np.testing.assert_array_equal(trimmed(nothing), nothing)
        np.testing.assert_array_equal(normalised(nothing), nothing)


@given(st.lists(st.booleans(), min_size=1, max_size=8))
def test_sounds_are_apart_in_order_and_hold_all_that_is_loud(loud: list[bool]) -> None:
    samples = np.concatenate([tone(0.4) if one else quiet(0.4) for one in [False, *loud]])
    found = sounds(samples)
    flat = [edge for pair in found for edge in pair]
    assert flat == sorted(flat)
    assert all(0 <= first < last <= len(samples) for first, last in found)
    inside = np.zeros(len(samples), np.bool_)
    for first, last in found:
        inside[first:last] = True
    assert inside[np.abs(samples) > 0.05].all()
