"""Several channels become one, and nothing that any of them hears is lost."""

from hypothesis import given, settings, strategies as st
import numpy as np
import pytest

from echonet_satellite.audio import WrongChannelError
from echonet_satellite.audio.channels import Mixer
from echonet_satellite.channel import Blend, Channel, parse_channel
from echonet_satellite.errors import ConfigError
from echonet_satellite.frontend import Floats
from tests.support.hearing import RATE, noise, silence

BLENDS = [Blend.LOUDEST, Blend.MIX]


def mixed(frames: Floats, channel: Channel, *cuts: int, rate: int = RATE) -> Floats:
    """Return what is heard of a whole stream, cut into blocks."""
    mixer = Mixer(frames.shape[1], rate, channel)
    parts = [mixer.push(part) for part in np.split(frames, cuts)]
    return np.concatenate((*parts, mixer.flush()))


def rms(samples: Floats) -> float:
    """Return the root of the mean square."""
    return float(np.sqrt(np.mean(np.square(samples))))


@pytest.mark.parametrize("blend", BLENDS)
@pytest.mark.parametrize("gain", [-1.0, -0.5, 1.0])
def test_two_channels_in_opposite_phase_do_not_cancel(blend: Blend, gain: float) -> None:
    sound = noise(1.0)
    heard = mixed(np.stack((sound, np.float32(gain) * sound), axis=1), blend)
    assert len(heard) == len(sound)
    # A mix of a loud and a faint channel is a little fainter than the loud one, never by more than 3 dB.
    assert rms(heard) >= 0.7 * rms(sound)


@pytest.mark.parametrize("blend", BLENDS)
@pytest.mark.parametrize(("channel", "channels"), [(1, 2), (3, 4), (7, 8)])
def test_a_sound_on_any_one_channel_is_heard_in_full(blend: Blend, channel: int, channels: int) -> None:
    frames = np.stack([silence(2.0) * (1 + number) / 8 for number in range(channels)], axis=1).astype(
        np.float32
    )
    frames[RATE : RATE + RATE // 2, channel] = noise(0.5)
    bang = mixed(frames, blend)[RATE : RATE + RATE // 2]
    assert rms(bang) == pytest.approx(rms(noise(0.5)), rel=0.02)


@pytest.mark.parametrize("blend", BLENDS)
def test_a_dead_input_with_an_offset_or_the_hum_of_the_mains_is_not_heard_instead(blend: Blend) -> None:
    hum = (0.1 * np.sin(2 * np.pi * 50 * np.arange(RATE) / RATE)).astype(np.float32)
    talk = noise(1.0, 0.01)
    heard = mixed(np.stack((talk, hum, np.full(RATE, 0.5)), axis=1).astype(np.float32), blend)
    assert np.corrcoef(heard, talk)[0, 1] > (0.99 if blend is Blend.LOUDEST else 0.9)


@settings(max_examples=25)
@given(
    cuts=st.lists(st.integers(0, RATE), max_size=6),
    channels=st.integers(2, 5),
    blend=st.sampled_from(BLENDS),
    seed=st.integers(0, 99),
)
def test_what_is_heard_does_not_depend_on_how_the_sound_is_cut(
    cuts: list[int], channels: int, blend: Blend, seed: int
) -> None:
    random = np.random.default_rng(seed)
    frames = random.standard_normal((RATE, channels)).astype(np.float32)
    frames *= np.repeat(random.uniform(0, 1, (25, channels)), RATE // 25, axis=0)
    np.testing.assert_allclose(
        mixed(frames, blend, *sorted(cuts)), mixed(frames, blend), rtol=1e-4, atol=1e-6
    )


@settings(max_examples=25)
@given(
    gains=st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=6).filter(
        lambda values: max(map(abs, values)) > 1e-3
    ),
    blend=st.sampled_from(BLENDS),
)
def test_no_sound_is_ever_lost(gains: list[float], blend: Blend) -> None:
    """However loud, and whichever way round, the channels have it."""
    sound = noise(0.2)
    frames = (sound[:, None] * np.array(gains)).astype(np.float32)
    assert rms(mixed(frames, blend)) >= 0.5 * rms(sound) * max(map(abs, gains))


def test_another_channel_takes_over_without_a_click() -> None:
    time_s = np.arange(RATE) / RATE
    tone = np.sin(2 * np.pi * 200 * time_s)
    frames = np.stack((tone, -tone * 0.5), axis=1).astype(np.float32)
    frames[RATE // 2 :, 0] *= 0.1
    heard = mixed(frames, Blend.LOUDEST)
    assert np.abs(np.diff(heard)).max() < 0.12  # the tone itself moves by 0.08 at most


def test_the_loudest_stays_until_another_one_is_clearly_louder() -> None:
    frames = np.stack((noise(1.0, seed=1), noise(1.0, seed=2)), axis=1)
    frames[:640, 1] *= 0.1
    np.testing.assert_array_equal(mixed(frames, Blend.LOUDEST), frames[:, 0])


def test_a_chosen_channel_is_the_only_one_that_is_heard() -> None:
    frames = np.stack((noise(0.5, seed=1), noise(0.5, seed=2)), axis=1)
    np.testing.assert_array_equal(mixed(frames, 2), frames[:, 1])


@pytest.mark.parametrize(("channels", "said"), [(1, "only one channel"), (2, "only 2 channels")])
def test_a_channel_that_is_not_there(channels: int, said: str) -> None:
    with pytest.raises(WrongChannelError, match=said):
        Mixer(channels, RATE, 3)


@pytest.mark.parametrize(
    ("text", "channel"), [("mix", Blend.MIX), (" Loudest ", Blend.LOUDEST), ("4", 4), (2, 2)]
)
def test_a_channel_as_a_person_writes_it(text: str | int, channel: Channel) -> None:
    assert parse_channel(text) == channel


@pytest.mark.parametrize("text", ["", "left", "0", "-1", "1.5", "65", "²"])
def test_a_channel_that_means_nothing(text: str) -> None:
    with pytest.raises(ConfigError, match='must be "mix", "loudest" or the number of a channel'):
        parse_channel(text)
