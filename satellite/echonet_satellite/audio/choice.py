"""Where sound comes from, as the configuration names it."""

from pathlib import Path

from ..source_config import SourceConfig
from .source import Source, SourceKind


def choose_source(config: SourceConfig) -> Source:
    """Return the source of sound that the configuration names; each loads only what it needs.

    Raises:
        AudioError: there is no such file, or it cannot be used. A microphone or a camera is waited for.
    """
    name, channel = config.source, config.channel
    if name == "microphone":
        from .microphone import Microphone  # noqa: PLC0415

        return Microphone(config.device, channel)
    if name == "demo":
        from .. import synthesis  # noqa: PLC0415
        from .playback import open_samples  # noqa: PLC0415

        return open_samples(synthesis.demo_scene().samples, "the built-in sounds")
    if name == "-":
        from .pipe import Pipe  # noqa: PLC0415

        return Pipe(channel)
    if "://" in name:
        from .captured import CapturedSource  # noqa: PLC0415
        from .ffmpeg import shown_url  # noqa: PLC0415

        return CapturedSource(
            SourceKind.STREAM, shown_url(name), {"source": name, "name": shown_url(name)}, channel
        )
    from .playback import open_file  # noqa: PLC0415

    return open_file(Path(name), channel)
