"""The satellite's TLS server: pairing and its end, the WebSocket, clips, classifying a file. All else is refused."""

from .app import Server, Service
from .classify_routes import ClassifyRoutes
from .clip_routes import ClipRoutes
from .link import Limits
from .unpair_route import UnpairRoute

__all__ = ["ClassifyRoutes", "ClipRoutes", "Limits", "Server", "Service", "UnpairRoute"]
