"""The proofs of pairing, one file used by both sides; `docs/pairing.md` says what they protect against.

Standard library only, and Python 3.11, because the satellite uses it through a symbolic link.
"""

import base64
from dataclasses import dataclass
from enum import StrEnum
import hashlib
import hmac
import secrets

from .protocol import EchonetError

CODE_LENGTH = 16
CODE_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford base32: no I, L, O, U
NONCE_BYTES = 32
LABEL = b"echonet-pair-1"

_LOOK_ALIKES = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None, "\t": None, "\n": None})


class CodeError(EchonetError):
    """What was typed cannot be a pairing code."""


class Role(StrEnum):
    """Who proves; without it a proof could be sent back to the one who made it."""

    SATELLITE = "satellite"
    CONTROLLER = "controller"


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """What both sides must agree on; `fingerprint` is the SHA-256 of the certificate that each side sees."""

    satellite_id: str
    fingerprint: bytes
    controller_nonce: bytes
    satellite_nonce: bytes


def new_code() -> str:
    """Return a random pairing code of 80 bits."""
    return "".join(secrets.choice(CODE_ALPHABET) for _ in range(CODE_LENGTH))


def group_code(code: str) -> str:
    """Return the code as people read it, in groups of four."""
    return "-".join(code[start : start + 4] for start in range(0, len(code), 4))


def normalize_code(code: str) -> str:
    """Return the code as it was made, from what a person typed.

    Raises:
        CodeError: too short, too long, or with characters that no code has.
    """
    plain = code.strip().upper().translate(_LOOK_ALIKES)
    if len(plain) != CODE_LENGTH or not set(plain) <= set(CODE_ALPHABET):
        raise CodeError(
            f"a pairing code has {CODE_LENGTH} letters and digits: copy it as the satellite shows it"
        )
    return plain


def pairing_key(code: str, satellite_id: str) -> bytes:
    """Return the key of a pairing: HKDF-SHA256 (RFC 5869) of the code, with the satellite as its salt."""
    extracted = hmac.digest(satellite_id.encode(), code.encode(), "sha256")
    return hmac.digest(extracted, LABEL + b"\x01", "sha256")


def make_proof(key: bytes, role: Role, transcript: Transcript) -> bytes:
    """Return the proof that `role` knows the code and sees this very certificate."""
    text = LABEL + role.value.encode() + transcript.fingerprint + _nonces_and_id(transcript)
    return hmac.digest(key, text, "sha256")


def make_code_check(key: bytes, transcript: Transcript) -> bytes:
    """Return what tells a mistyped code from a man in the middle: it leaves the certificate out.

    It proves nothing about the connection, so that nothing may be sent because of it.
    """
    return hmac.digest(key, LABEL + b"code-check" + _nonces_and_id(transcript), "sha256")


def same(one: bytes, other: bytes) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(one, other)


def certificate_fingerprint(der: bytes) -> bytes:
    """Return the SHA-256 of a certificate in DER form."""
    return hashlib.sha256(der).digest()


def to_text(data: bytes) -> str:
    """Return bytes as they travel: base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def from_text(text: object, length: int) -> bytes | None:
    """Return `length` bytes from their base64url form; None for anything else."""
    if not isinstance(text, str) or len(text) > 2 * length:
        return None
    try:
        data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return None
    # Python decodes more than it encodes; one value has one form here.
    return data if len(data) == length and to_text(data) == text else None


def _nonces_and_id(transcript: Transcript) -> bytes:
    # All parts before the id have a fixed length, or (the role) differ from their first letter on: one text, one
    # meaning, without separators.
    return transcript.controller_nonce + transcript.satellite_nonce + transcript.satellite_id.encode()
