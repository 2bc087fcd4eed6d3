"""Which of several channels is heard. Standard library only: a configuration is read without NumPy."""

from enum import StrEnum
from typing import Final

from .errors import ConfigError

MAX_CHANNELS: Final = 64


class Blend(StrEnum):
    """How several channels are heard as one.

    `LOUDEST` hears one channel at a time, the one with most sound in it. Nothing is added, so that neither opposite
    phase nor a short distance between two microphones can take anything away; this is the default.

    `MIX` adds the channels, each as much as it has sound in it, and turned so that it goes with the loudest. It hears
    a little deeper into the noise of the microphones, and may lose some frequencies where they stand apart.
    """

    LOUDEST = "loudest"
    MIX = "mix"


# A blend, or the number of a channel, from 1.
Channel = Blend | int


def parse_channel(value: object) -> Channel:
    """Return what a person means by "mix", "loudest" or the number of a channel.

    Raises:
        ConfigError: it is none of these.
    """
    text = str(value).strip().casefold()
    if text in tuple(Blend):
        return Blend(text)
    if text.isdecimal() and 1 <= int(text) <= MAX_CHANNELS:
        return int(text)
    raise ConfigError(
        f'must be "mix", "loudest" or the number of a channel, from 1 to {MAX_CHANNELS}, not {value!r}'
    )
