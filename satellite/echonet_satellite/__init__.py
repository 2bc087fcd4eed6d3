"""The EchoNet satellite: hears sounds on the device itself and tells Home Assistant."""

__version__ = "0.1.0"
