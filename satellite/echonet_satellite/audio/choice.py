"""Where sound comes from, as the configuration names it."""

from pathlib import Path

from ..config import Config
from .source import Source


def choose_source(config: Config) -> Source:
    """Return the source of sound that the configuration names.

    Raises:
        AudioError: there is no such file or microphone, or it cannot be used.
    """
    if config.source == "demo":
        from .. import synthesis  # noqa: PLC0415 - each source loads only what it needs
        from .playback import open_samples  # noqa: PLC0415

        return open_samples(synthesis.demo_scene().samples, "the built-in sounds")
    if config.source != "microphone":
        from .playback import open_file  # noqa: PLC0415

        return open_file(Path(config.source))
    from .microphone import Microphone  # noqa: PLC0415

    return Microphone(config.device)
