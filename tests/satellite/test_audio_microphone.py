"""Microphones: chosen by name, captured in a real sound server, lost blocks counted."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
import threading
import time

import numpy as np
import pytest
import soundfile

from echonet_satellite.audio import AudioError, DeviceMissingError
from echonet_satellite.audio.microphone import Microphone, MicrophoneInfo, choose, list_microphones
from echonet_satellite.frontend import Floats
from tests.support.hearing import RATE, noise
from tests.support.sound_card import play, sound_card

CARDS = [
    MicrophoneInfo(
        index=2, name="USB PnP Sound: Audio (hw:1,0)", channels=1, sample_rate=44100, is_default=False
    ),
    MicrophoneInfo(index=5, name="pulse", channels=32, sample_rate=48000, is_default=True),
    MicrophoneInfo(index=12, name="pulse 2", channels=2, sample_rate=48000, is_default=False),
]


@pytest.mark.parametrize(
    ("wanted", "index"),
    [(None, 5), ("2", 2), ("12", 12), ("usb pnp", 2), ("PULSE", 5), ("pulse 2", 12), (" hw:1,0 ", 2)],
)
def test_a_microphone_is_chosen_by_index_or_part_of_its_name(wanted: str | None, index: int) -> None:
    assert choose(CARDS, wanted).index == index


@pytest.mark.parametrize("wanted", ["3", "bluetooth", "", "1"])
def test_an_unknown_microphone_names_those_that_there_are(wanted: str) -> None:
    with pytest.raises(DeviceMissingError, match=r"there are: 2 \(USB PnP.*5 \(pulse\)") as caught:
        choose(CARDS, wanted)
    assert "\n" not in str(caught.value)


def test_without_any_microphone_it_says_what_to_do() -> None:
    with pytest.raises(DeviceMissingError, match="plug one in"):
        choose([], None)


def test_without_a_default_the_first_is_taken() -> None:
    assert choose(CARDS[2:], None).index == 12


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """A sound card that this process uses."""
    with sound_card() as environment:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        if not any(found.name == "pulse" for found in list_microphones()):
            pytest.skip("PortAudio does not know PulseAudio: install libasound2-plugins")
        yield environment


def capture(microphone: Microphone, seconds: float) -> tuple[Floats, list[float]]:
    """Return what a microphone hears, and when each block was captured."""
    blocks, times = [], []
    heard = 0
    deadline = time.monotonic() + seconds + 10
    while heard < seconds * RATE and time.monotonic() < deadline:
        if block := microphone.read(0.25):
            blocks.append(block.samples)
            times.append(block.captured)
            heard += len(block.samples)
    return np.concatenate(blocks), times


def test_hears_what_is_played(card: dict[str, str], tmp_path: Path) -> None:
    played = noise(1.5)
    soundfile.write(tmp_path / "noise.wav", played, RATE)
    microphone = Microphone("pulse")
    microphone.open()
    microphone.open()  # a second time changes nothing
    try:
        capture(microphone, 0.2)
        player = threading.Thread(target=play, args=(card, tmp_path / "noise.wav"))
        player.start()
        heard, times = capture(microphone, 3.5)
        player.join()
    finally:
        microphone.close()
    assert "pulse" in microphone.name
    assert heard.dtype == np.float32
    assert microphone.dropped_blocks == 0
    size = 1 << (len(heard) + len(played)).bit_length()
    spectrum = np.fft.rfft(heard, size) * np.fft.rfft(played, size).conj()
    found = np.fft.irfft(spectrum, size)
    first = int(found.argmax())
    part = heard[first : first + len(played)]
    assert np.corrcoef(part, played[: len(part)])[0, 1] > 0.9
    assert times == sorted(times)
    assert times[-1] <= time.monotonic()


def test_blocks_that_nobody_fetches_are_dropped_and_counted(card: dict[str, str]) -> None:
    microphone = Microphone("pulse", queue_blocks=3)
    microphone.open()
    try:
        capture(microphone, 0.1)
        deadline = time.monotonic() + 10
        while not microphone.dropped_blocks and time.monotonic() < deadline:
            time.sleep(0.05)
        assert microphone.dropped_blocks > 0
        assert len(capture(microphone, 0.2)[0]) > 0
    finally:
        microphone.close()


def test_opens_again_after_closing(card: dict[str, str]) -> None:
    microphone = Microphone("pulse")
    for _ in range(2):
        microphone.open()
        assert len(capture(microphone, 0.1)[0]) > 0
        microphone.close()
        microphone.close()


def test_a_microphone_that_stops_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    with sound_card() as environment:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        if not any(found.name == "pulse" for found in list_microphones()):
            pytest.skip("PortAudio does not know PulseAudio: install libasound2-plugins")
        microphone = Microphone("pulse")
        microphone.open()
        capture(microphone, 0.1)
    # The server is gone, as a card that has been unplugged: an error, or nothing more comes.
    with suppress(AudioError):
        while microphone.read(1.0):
            pass
    microphone.close()
    with pytest.raises(AudioError):
        microphone.open()
