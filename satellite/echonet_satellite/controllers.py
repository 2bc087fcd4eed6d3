"""The controllers that were paired: for each one a name and the SHA-256 of its token."""

from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
import hashlib
import json
import logging
from pathlib import Path
import secrets
import threading

from .errors import StateError
from .proof import same, to_text
from .state import FILE_MODE, make_private, set_aside, write_private

_LOGGER = logging.getLogger(__name__)

TOKEN_BYTES = 32
MAX_CONTROLLERS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Controller:
    """One paired controller; the token itself is known to the controller alone."""

    id: str
    name: str
    token_sha256: str
    paired_at: str
    address: str = ""  # where it came from last


class Controllers:
    """Issues tokens and recognises them, and keeps `controllers.json`."""

    def __init__(self, path: Path) -> None:
        """Read the controllers at `path`; a damaged file is set aside, and all must pair again."""
        self._path = path
        self._lock = threading.Lock()
        self._all = self._load()

    @property
    def all(self) -> tuple[Controller, ...]:
        """The paired controllers, the oldest first."""
        return tuple(self._all)

    def issue(self, name: str) -> tuple[Controller, str]:
        """Add a controller and return it with its new token.

        Beyond `MAX_CONTROLLERS` the oldest one is forgotten: whoever paired again and again left it behind.
        """
        token = to_text(secrets.token_bytes(TOKEN_BYTES))
        controller = Controller(
            id=secrets.token_hex(8),
            name=name,
            token_sha256=_digest(token),
            paired_at=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        with self._lock:
            self._save([*self._all, controller][-MAX_CONTROLLERS:])
        return controller, token

    def forget(self, controller_id: str) -> None:
        """Make the token of a controller worthless."""
        with self._lock:
            self._save([item for item in self._all if item.id != controller_id])

    def note_address(self, controller_id: str, address: str) -> None:
        """Remember where a controller came from; the file is written only where that has changed.

        Raises:
            StateError: it is remembered until the next start only.
        """
        with self._lock:
            changed = [
                replace(item, address=address) if item.id == controller_id else item for item in self._all
            ]
            if changed != self._all:
                self._save(changed)

    def authenticate(self, token: str) -> Controller | None:
        """Return the controller that a token belongs to."""
        digest = _digest(token).encode()
        found = None
        for controller in self._all:
            if same(controller.token_sha256.encode(), digest):
                found = controller
        return found

    def _load(self) -> list[Controller]:
        try:
            make_private(self._path, FILE_MODE)
            data = json.loads(self._path.read_text(encoding="utf-8"))
            controllers = [Controller(**item) for item in data["controllers"]]
            if not all(isinstance(value, str) for item in controllers for value in asdict(item).values()):
                raise TypeError("controllers")
        except FileNotFoundError:
            return []
        except (ValueError, TypeError, KeyError, RecursionError):
            aside = set_aside(self._path)
            _LOGGER.warning("The list of controllers was damaged, pair again; the old file is now %s", aside)
            return []
        except OSError as err:
            raise StateError(f"cannot read {self._path}: {err.strerror}") from None
        return controllers

    def _save(self, controllers: list[Controller]) -> None:
        data = {"controllers": [asdict(item) for item in controllers]}
        write_private(self._path, json.dumps(data, indent=2).encode() + b"\n")
        self._all = controllers


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
