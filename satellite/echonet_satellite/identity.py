"""Who a satellite is: a random id, a P-256 key and a self-signed certificate, made at the first start."""

from dataclasses import dataclass
from pathlib import Path
import re
import secrets
import shutil
import ssl
import tempfile

from .errors import IdentityError
from .proof import certificate_fingerprint
from .state import DIRECTORY_MODE, FILE_MODE, make_private, sync_directory, write_private

_FOLDER = "identity"
_KEY = "key.pem"
_CERTIFICATE = "certificate.pem"
_ID = "satellite_id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """The satellite's id, its files, and the SHA-256 of its certificate."""

    satellite_id: str
    key_path: Path
    certificate_path: Path
    fingerprint: bytes

    def ssl_context(self) -> ssl.SSLContext:
        """Return the context of the server: TLS 1.3 and nothing older."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.load_cert_chain(self.certificate_path, self.key_path)
        return context


def load_or_create(state: Path) -> Identity:
    """Return the identity kept in a state directory; make one where there is none.

    A damaged identity is an error and never replaced in silence: Home Assistant would take the new certificate for
    an attack, and be right.

    Raises:
        IdentityError: the files are damaged, missing in part, or cannot be read.
    """
    folder = state / _FOLDER
    try:
        if not folder.exists():
            _create(state, folder)
        return _load(folder)
    except (ValueError, ssl.SSLError, FileNotFoundError):
        raise IdentityError(
            f"the identity in {folder} is damaged: restore it from a backup, or remove the folder and pair again"
        ) from None
    except OSError as err:
        raise IdentityError(f"cannot use {err.filename or folder}: {err.strerror}") from None


def _load(folder: Path) -> Identity:
    make_private(folder, DIRECTORY_MODE)
    for name in (_KEY, _CERTIFICATE, _ID):
        make_private(folder / name, FILE_MODE)
    satellite_id = (folder / _ID).read_text(encoding="ascii").strip()
    if not re.fullmatch("[0-9a-f]{32}", satellite_id):
        raise ValueError("satellite_id")
    certificate = (folder / _CERTIFICATE).read_text(encoding="ascii").strip()
    identity = Identity(
        satellite_id=satellite_id,
        key_path=folder / _KEY,
        certificate_path=folder / _CERTIFICATE,
        fingerprint=certificate_fingerprint(ssl.PEM_cert_to_DER_cert(certificate)),
    )
    identity.ssl_context()  # OpenSSL checks that the key belongs to the certificate.
    return identity


def _create(state: Path, folder: Path) -> None:
    # Only a first start needs it; a library for certificates is large.
    from .certificate import self_signed  # noqa: PLC0415

    # Made beside its place and renamed whole: a power cut leaves all of an identity or none of it.
    temporary = Path(tempfile.mkdtemp(dir=state, prefix=".identity-"))
    try:
        satellite_id = secrets.token_hex(16)
        key, certificate = self_signed(f"echonet-{satellite_id}")
        write_private(temporary / _KEY, key)
        write_private(temporary / _CERTIFICATE, certificate)
        write_private(temporary / _ID, f"{satellite_id}\n".encode())
        temporary.rename(folder)
        sync_directory(state)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
