"""What can go wrong while the house is being built: one line that says what is wrong and what to do."""

from echonet_satellite.protocol import EchonetError


class HouseError(EchonetError):
    """A part of the house did not come up, or did not do what it should."""
