"""`echonet-satellite devices`: the microphones, or what to do without one."""

import argparse

import pytest

from echonet_satellite import devices
from echonet_satellite.audio import AudioError
from echonet_satellite.audio.microphone import MicrophoneInfo
from tests.support.sound_card import sound_card


def run() -> int:
    """Run the command."""
    parser = argparse.ArgumentParser()
    devices.add_arguments(parser)
    return devices.run(parser.parse_args([]))


def test_lists_index_name_channels_and_rate(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = [
        MicrophoneInfo(index=1, name="USB microphone", channels=1, sample_rate=44100, is_default=False),
        MicrophoneInfo(index=11, name="pulse", channels=32, sample_rate=48000, is_default=True),
    ]
    monkeypatch.setattr(devices, "list_microphones", lambda: found)
    assert run() == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split() == ["1", "USB", "microphone", "1", "44100", "Hz"]
    assert lines[2].split() == ["*", "11", "pulse", "32", "48000", "Hz"]


def test_without_a_microphone_it_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(devices, "list_microphones", list)
    assert run() == 1
    assert "plug one in" in capsys.readouterr().err


def test_without_portaudio_it_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> list[MicrophoneInfo]:
        raise AudioError("microphones need PyAudio")

    monkeypatch.setattr(devices, "list_microphones", fail)
    assert run() == 1
    assert capsys.readouterr().err == "echonet-satellite: microphones need PyAudio\n"


def test_a_real_sound_server_is_listed_without_noise(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    with sound_card() as card:
        for name, value in card.environment.items():
            monkeypatch.setenv(name, value)
        if run():
            pytest.skip("PortAudio does not know PulseAudio: install libasound2-plugins")
    output, errors = capfd.readouterr()
    assert "pulse" in output
    assert errors == ""
