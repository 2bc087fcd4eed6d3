"""Errors of training and evaluation."""

from echonet_satellite.protocol import EchonetError


class ModelsError(EchonetError):
    """Something that training or evaluation needs is missing or wrong; the text says what to do."""
