"""The pairing window: one code, ten minutes, one use, five tries. Pure: no network, no clock of its own."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
import logging
import secrets
import time
from typing import Final

from .errors import PairingClosedError, PairingError, WrongProofError
from .proof import (
    NONCE_BYTES,
    Role,
    Transcript,
    make_code_check,
    make_proof,
    new_code,
    pairing_key,
    same,
)

_LOGGER = logging.getLogger(__name__)

WINDOW_S: Final = 600.0
MAX_TRIES: Final = 5


class Outcome(StrEnum):
    """What becomes of a pairing window."""

    OPENED = "opened"
    PAIRED = "paired"
    TOO_MANY_TRIES = "too_many_tries"
    EXPIRED = "expired"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """The satellite's answer to a controller that wants to pair."""

    attempt: str
    nonce: bytes
    code_check: bytes
    proof: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class _Attempt:
    controller_name: str
    transcript: Transcript


class PairingWindow:
    """Decides who may pair. A try counts when it begins, so that one that is broken off counts too."""

    def __init__(
        self, satellite_id: str, fingerprint: bytes, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Pair as the satellite with this id and certificate."""
        self._satellite_id = satellite_id
        self._fingerprint = fingerprint
        self._clock = clock
        self._listeners: list[Callable[[Outcome], None]] = []
        self._code: str | None = None
        self._key = b""
        self._closes_at = 0.0
        self._tries = 0
        self._attempts: dict[str, _Attempt] = {}
        self._nonces: set[bytes] = set()

    @property
    def code(self) -> str | None:
        """The code of the open window."""
        self._expire()
        return self._code

    @property
    def remaining_s(self) -> float:
        """How long the window stays open."""
        return max(0.0, self._closes_at - self._clock()) if self._code else 0.0

    def subscribe(self, listener: Callable[[Outcome], None]) -> Callable[[], None]:
        """Call `listener` with what becomes of the window; return what ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def open(self) -> str:
        """Open a window with a new code and return the code; an older code is worth nothing from now on."""
        self._code = new_code()
        self._key = pairing_key(self._code, self._satellite_id)
        self._closes_at = self._clock() + WINDOW_S
        self._tries = 0
        self._attempts.clear()
        self._nonces.clear()
        self._tell(Outcome.OPENED)
        return self._code

    def close(self, outcome: Outcome = Outcome.CLOSED) -> None:
        """Close the window; harmless where none is open."""
        if self._code is None:
            return
        self._code = None
        self._key = b""
        self._attempts.clear()
        self._tell(outcome)

    def start(self, controller_nonce: bytes, controller_name: str) -> Started:
        """Begin a try, and prove to the controller that we know the code.

        Raises:
            PairingClosedError: no window is open, or this was one try too many.
            PairingError: the nonce is not fresh.
        """
        self._require_open()
        if self._tries >= MAX_TRIES:
            self.close(Outcome.TOO_MANY_TRIES)
            self._require_open()
        if len(controller_nonce) != NONCE_BYTES or controller_nonce in self._nonces:
            raise PairingError("the nonce of a pairing must be new and 32 bytes long")
        self._tries += 1
        self._nonces.add(controller_nonce)
        transcript = Transcript(
            satellite_id=self._satellite_id,
            fingerprint=self._fingerprint,
            controller_nonce=controller_nonce,
            satellite_nonce=secrets.token_bytes(NONCE_BYTES),
        )
        attempt = secrets.token_hex(16)
        self._attempts[attempt] = _Attempt(controller_name=controller_name, transcript=transcript)
        return Started(
            attempt=attempt,
            nonce=transcript.satellite_nonce,
            code_check=make_code_check(self._key, transcript),
            proof=make_proof(self._key, Role.SATELLITE, transcript),
        )

    def finish(self, attempt: str, proof: bytes) -> str:
        """Check the controller's proof, close the window, and return the name of the controller.

        Raises:
            PairingClosedError: no window is open.
            WrongProofError: the proof is wrong, or the attempt is unknown or used up.
        """
        self._require_open()
        known = self._attempts.pop(attempt, None)
        expected = make_proof(self._key, Role.CONTROLLER, known.transcript) if known else b""
        if known is None or not same(expected, proof):
            if self._tries >= MAX_TRIES and not self._attempts:
                self.close(Outcome.TOO_MANY_TRIES)
            raise WrongProofError("the pairing code is wrong")
        self.close(Outcome.PAIRED)
        return known.controller_name

    def _expire(self) -> None:
        if self._code is not None and self._clock() >= self._closes_at:
            self.close(Outcome.EXPIRED)

    def _require_open(self) -> None:
        self._expire()
        if self._code is None:
            raise PairingClosedError("no pairing window is open: run `echonet-satellite pair`")

    def _tell(self, outcome: Outcome) -> None:
        for listener in tuple(self._listeners):
            try:
                listener(outcome)
            except Exception:
                _LOGGER.exception("One of those who are told of pairing has failed")
