"""The satellite's TLS server: pairing, the WebSocket, clips, and classifying a file. Everything else is refused."""

from .app import Server, Service
from .classify_routes import ClassifyRoutes
from .clip_routes import ClipRoutes
from .sockets import Limits

__all__ = ["ClassifyRoutes", "ClipRoutes", "Limits", "Server", "Service"]
