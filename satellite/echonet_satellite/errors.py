"""What can go wrong on a satellite; each text is one line that says what is wrong and what to do."""

from .protocol import EchonetError, ProtocolError

__all__ = [
    "ClipError",
    "ConfigError",
    "EchonetError",
    "IdentityError",
    "JournalError",
    "LearningError",
    "NotRunningError",
    "PairingClosedError",
    "PairingError",
    "ProtocolError",
    "ServerError",
    "StateError",
    "WrongProofError",
]


class ConfigError(EchonetError):
    """The configuration file, or an option of the command line, says something that it cannot say."""


class StateError(EchonetError):
    """The state directory cannot be used."""


class IdentityError(StateError):
    """The key or certificate of the satellite is damaged or cannot be read."""


class ClipError(StateError):
    """A clip cannot be kept, read or deleted."""


class JournalError(StateError):
    """The journal cannot be written."""


class LearningError(StateError):
    """What is to be learned cannot be kept, or not from this."""


class ServerError(EchonetError):
    """The satellite cannot listen on the network."""


class NotRunningError(EchonetError):
    """A command needs a running satellite, and there is none."""


class PairingError(EchonetError):
    """A pairing attempt is refused."""


class PairingClosedError(PairingError):
    """No pairing window is open."""


class WrongProofError(PairingError):
    """The controller does not know the code."""
