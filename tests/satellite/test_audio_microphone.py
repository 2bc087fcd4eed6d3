"""Microphones: chosen by name, captured in a real sound server on every channel, lost blocks counted."""

from collections.abc import Iterator
from contextlib import suppress
from itertools import groupby
import os
from pathlib import Path
import threading
import time

import numpy as np
import pytest
import soundfile

from echonet_satellite.audio import AudioError, DeviceMissingError, WrongChannelError
from echonet_satellite.audio.microphone import Microphone, MicrophoneInfo, list_microphones
from echonet_satellite.capture.errors import CaptureError
from echonet_satellite.capture.portaudio import choose
from echonet_satellite.channel import Blend, Channel
from echonet_satellite.frontend import Floats
from echonet_satellite.pipeline import Pipeline
from echonet_satellite.protocol import Problem
from tests.support.hearing import RATE, Ear, LoudnessClassifier, noise, settings
from tests.support.sound_card import SoundCard, sound_card

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
    with pytest.raises(CaptureError, match=r"there are: 2 \(USB PnP.*5 \(pulse\)") as caught:
        choose(CARDS, wanted)
    assert "\n" not in str(caught.value)


def test_without_any_microphone_it_says_what_to_do() -> None:
    with pytest.raises(CaptureError, match="plug one in"):
        choose([], None)


def test_without_a_default_the_first_is_taken() -> None:
    assert choose(CARDS[2:], None).index == 12


@pytest.fixture(scope="module")
def card() -> Iterator[SoundCard]:
    """A sound card that this process uses."""
    with sound_card() as running, pytest.MonkeyPatch.context() as patch:
        for name, value in running.environment.items():
            patch.setenv(name, value)
        if not any(found.name == "pulse" for found in list_microphones()):
            pytest.skip("PortAudio does not know PulseAudio: install libasound2-plugins")
        yield running


def capture(microphone: Microphone, seconds: float) -> tuple[Floats, list[float]]:
    """Return what a microphone hears, and when each block was captured."""
    blocks, times = [], []
    heard = 0
    deadline = time.monotonic() + seconds + 60
    while heard < seconds * RATE and time.monotonic() < deadline:
        if block := microphone.read(0.25):
            blocks.append(block.samples)
            times.append(block.captured)
            heard += len(block.samples)
    return np.concatenate(blocks), times


def loudest(card: SoundCard, microphone: Microphone, path: Path, sink: str) -> float:
    """Return the RMS of the loudest tenth of a second that a microphone hears of a file."""
    microphone.open()
    try:
        capture(microphone, 0.2)
        player = threading.Thread(target=card.play, args=(path, sink))
        player.start()
        heard = np.zeros(0, np.float32)
        while player.is_alive():
            heard = np.concatenate((heard, capture(microphone, 0.2)[0]))
        player.join()
    finally:
        microphone.close()
    pieces = heard[: len(heard) // 1600 * 1600].reshape(-1, 1600)
    return float(np.sqrt(np.square(pieces).mean(axis=1)).max())


def test_hears_what_is_played(card: SoundCard, tmp_path: Path) -> None:
    played = noise(1.5)
    soundfile.write(tmp_path / "noise.wav", played, RATE)
    microphone = Microphone("pulse")
    microphone.open()
    microphone.open()  # a second time changes nothing
    try:
        capture(microphone, 0.2)
        player = threading.Thread(target=card.play, args=(tmp_path / "noise.wav",))
        player.start()
        heard, times = capture(microphone, 3.5)
        player.join()
    finally:
        microphone.close()
    assert "pulse" in microphone.name
    assert heard.dtype == np.float32
    size = 1 << (len(heard) + len(played)).bit_length()
    spectrum = np.fft.rfft(heard, size) * np.fft.rfft(played, size).conj()
    found = np.fft.irfft(spectrum, size)
    first = int(found.argmax())
    part = heard[first : first + len(played)]
    assert np.corrcoef(part, played[: len(part)])[0, 1] > 0.9
    assert times == sorted(times)
    assert times[-1] <= time.monotonic()


@pytest.mark.parametrize(
    ("channel", "sink", "gains"),
    [
        (Blend.LOUDEST, "stereo", (0, 1)),  # an I2S microphone that sits on the right
        (Blend.LOUDEST, "stereo", (1, -1)),  # opposite phase
        (Blend.LOUDEST, "array", (0, 0, 0, 1)),
        (4, "array", (0, 0, 0, 1)),
    ],
)
def test_no_channel_is_deaf(
    card: SoundCard, tmp_path: Path, channel: Channel, sink: str, gains: tuple[int, ...]
) -> None:
    sound = noise(1.0)
    soundfile.write(tmp_path / "noise.wav", sound[:, None] * np.array(gains, np.float32), RATE)
    card.choose(f"{sink}.monitor")
    try:
        heard = loudest(card, Microphone("pulse", channel), tmp_path / "noise.wav", sink)
    finally:
        card.choose("mic")
    assert heard > 0.7 * float(np.sqrt(np.mean(np.square(sound))))


def test_the_wrong_channel_is_found_out(card: SoundCard, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "noise.wav", noise(1.0)[:, None] * np.array((0, 1), np.float32), RATE)
    microphone = Microphone("pulse", 1)
    card.choose("stereo.monitor")
    elsewhere = False
    microphone.open()
    try:
        capture(microphone, 0.2)
        player = threading.Thread(target=card.play, args=(tmp_path / "noise.wav", "stereo"))
        player.start()
        while player.is_alive():
            block = microphone.read(0.25)
            elsewhere |= block is not None and block.elsewhere
        player.join()
    finally:
        microphone.close()
        card.choose("mic")
    assert elsewhere


def test_a_channel_that_a_microphone_does_not_have(card: SoundCard) -> None:
    microphone = Microphone("pulse", 64)
    microphone.open()
    try:
        with pytest.raises(WrongChannelError, match="'pulse' has no channel 64: it has 32 channels"):
            capture(microphone, 0.1)
    finally:
        microphone.close()


def test_blocks_that_nobody_fetches_are_dropped_and_counted(card: SoundCard) -> None:
    microphone = Microphone("pulse", queue_blocks=3)
    microphone.open()
    try:
        capture(microphone, 0.1)
        deadline = time.monotonic() + 30
        while not microphone.dropped_blocks and time.monotonic() < deadline:
            time.sleep(1.0)
            capture(microphone, 0.5)
        dropped = microphone.dropped_blocks
        assert dropped > 0
        # What was lost stays lost, also when the microphone is opened again.
        microphone.close()
        microphone.open()
        assert len(capture(microphone, 0.2)[0]) > 0
        assert microphone.dropped_blocks >= dropped
    finally:
        microphone.close()


def test_a_sound_server_that_freezes_is_told_and_heard_again(card: SoundCard) -> None:
    """It answers nobody, and whoever closes it waits for it; standard error is left alone meanwhile."""
    ear = Ear()
    errors = os.fstat(2)
    pipeline = Pipeline(Microphone("pulse"), LoudnessClassifier(), settings(), ear)
    pipeline.watch(True)
    pipeline.start()
    try:
        ear.wait(lambda: bool(ear.levels))
        card.freeze()
        ear.wait(lambda: ear.problems == (Problem.MICROPHONE_MISSING,))
        assert (os.fstat(2).st_dev, os.fstat(2).st_ino) == (errors.st_dev, errors.st_ino)
        card.thaw()
        ear.wait(lambda: ear.problems == ())
    finally:
        card.thaw()
        pipeline.stop()
        assert pipeline.join(20)
    told = [problems for problems, _ in groupby(health.problems for health in ear.health)]
    assert told[-2:] == [(Problem.MICROPHONE_MISSING,), ()]
    assert told[:-2] in ([], [()])


def test_a_microphone_that_stops_is_found_out() -> None:
    with sound_card() as running, pytest.MonkeyPatch.context() as patch:
        for name, value in running.environment.items():
            patch.setenv(name, value)
        if not any(found.name == "pulse" for found in list_microphones()):
            pytest.skip("PortAudio does not know PulseAudio: install libasound2-plugins")
        microphone = Microphone("pulse")
        microphone.open()
        capture(microphone, 0.1)
        running.server.kill()
        running.server.wait(10)
        # The server is gone, as a card that has been unplugged: an error, or nothing more comes.
        with suppress(AudioError):
            while microphone.read(1.0):
                pass
        microphone.close()
        microphone.open()
        with pytest.raises(AudioError):
            capture(microphone, 0.1)
        microphone.close()


def test_a_process_that_captures_and_dies_is_a_microphone_that_is_gone(card: SoundCard) -> None:
    microphone = Microphone("pulse")
    microphone.open()
    try:
        capture(microphone, 0.1)
        assert microphone._process is not None
        microphone._process._process.kill()
        with pytest.raises(DeviceMissingError, match="has ended"):
            capture(microphone, 5)
    finally:
        microphone.close()
