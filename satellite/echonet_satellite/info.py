"""What does not change while a satellite runs."""

from dataclasses import dataclass

from .protocol import Installation, SoundClass


@dataclass(frozen=True, slots=True, kw_only=True)
class Info:
    """What does not change while a satellite runs."""

    satellite_id: str
    name: str
    version: str
    hardware: str
    model_name: str
    model_version: str
    classes: tuple[SoundClass, ...]
    installation: Installation = Installation.USER
    rooms: tuple[str, ...] = ()
