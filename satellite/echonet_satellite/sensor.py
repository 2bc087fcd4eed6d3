"""The LM393 sound sensor on a GPIO pin: a comparator whose output pulses while it is loud."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
import warnings

from .errors import EchonetError

if TYPE_CHECKING:
    from gpiozero import DigitalInputDevice

_ADVICE: Final = "check [sensor] in the configuration, or leave `pin` out to do without one"


class SensorError(EchonetError):
    """The sound sensor cannot be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SensorConfig:
    """On which pin (BCM number) the sensor's digital output is, and whether loud pulls it to ground."""

    pin: int
    active_low: bool = True

    @property
    def active(self) -> str:
        """What the output is while it is loud."""
        return "low" if self.active_low else "high"


class SoundSensor:
    """Calls `on_pulse` for each pulse, from a thread of gpiozero's."""

    def __init__(self, config: SensorConfig, on_pulse: Callable[[], None]) -> None:
        """Prepare; nothing is opened yet."""
        self._config = config
        self._on_pulse = on_pulse
        self._device: DigitalInputDevice | None = None

    def open(self) -> None:
        """Begin to listen to the pin.

        Raises:
            SensorError: there is no GPIO, no such pin, or it is in use.
        """
        pin = self._config.pin
        try:
            from gpiozero import DigitalInputDevice  # noqa: PLC0415 - only where there is a sensor
            from gpiozero.exc import GPIOZeroError  # noqa: PLC0415
        except ImportError:
            raise SensorError(f"the sound sensor on GPIO{pin} needs gpiozero: pip install gpiozero") from None
        try:
            with warnings.catch_warnings():
                # It tells of each of its back ends that is not there.
                warnings.simplefilter("ignore")
                self._device = DigitalInputDevice(pin, pull_up=self._config.active_low)
        except (GPIOZeroError, OSError, ValueError, RuntimeError) as err:
            reason = " ".join(str(err).split()) or type(err).__name__
            raise SensorError(f"the sound sensor on GPIO{pin} cannot be read ({reason}): {_ADVICE}") from None
        self._device.when_activated = self._pulse

    def close(self) -> None:
        """Give the pin back."""
        device, self._device = self._device, None
        if device is not None:
            device.close()

    def _pulse(self) -> None:
        # gpiozero takes functions and methods only, not everything that can be called.
        self._on_pulse()
