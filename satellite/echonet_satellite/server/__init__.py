"""The only way into a satellite: one TLS 1.3 server with pairing and the WebSocket of paired controllers."""

from .app import Server
from .sockets import Limits

__all__ = ["Limits", "Server"]
