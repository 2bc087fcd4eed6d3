"""The pairing window without a network: who may pass, how often, how long."""

from dataclasses import replace
import hashlib
import hmac
from pathlib import Path

from hypothesis import given, strategies as st
import pytest

from echonet_satellite import proof
from echonet_satellite.errors import PairingClosedError, PairingError, WrongProofError
from echonet_satellite.pairing_window import MAX_TRIES, WINDOW_S, Outcome, PairingWindow, Started
from echonet_satellite.proof import CODE_ALPHABET, Role, Transcript

SATELLITE_ID = "0123456789abcdef" * 2
FINGERPRINT = hashlib.sha256(b"certificate").digest()
NONCE = bytes(range(32))


class Clock:
    """A clock that stands still until it is moved."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def window(clock: Clock) -> PairingWindow:
    return PairingWindow(SATELLITE_ID, FINGERPRINT, clock=clock)


def nonce(number: int) -> bytes:
    return hashlib.sha256(bytes([number])).digest()


def transcript(started: Started, controller_nonce: bytes, fingerprint: bytes = FINGERPRINT) -> Transcript:
    return Transcript(
        satellite_id=SATELLITE_ID,
        fingerprint=fingerprint,
        controller_nonce=controller_nonce,
        satellite_nonce=started.nonce,
    )


def controller_proof(code: str, started: Started, controller_nonce: bytes = NONCE) -> bytes:
    key = proof.pairing_key(code, SATELLITE_ID)
    return proof.make_proof(key, Role.CONTROLLER, transcript(started, controller_nonce))


def test_the_right_code_pairs_once(window: PairingWindow) -> None:
    outcomes: list[Outcome] = []
    window.subscribe(outcomes.append)
    code = window.open()
    started = window.start(NONCE, "Home")
    key = proof.pairing_key(code, SATELLITE_ID)
    assert started.proof == proof.make_proof(key, Role.SATELLITE, transcript(started, NONCE))
    assert started.code_check == proof.make_code_check(key, transcript(started, NONCE))
    right = controller_proof(code, started)
    assert window.finish(started.attempt, right) == "Home"
    assert window.code is None
    with pytest.raises(PairingClosedError):
        window.finish(started.attempt, right)
    with pytest.raises(PairingClosedError):
        window.start(nonce(1), "Another")
    assert outcomes == [Outcome.OPENED, Outcome.PAIRED]


def test_a_closed_window_lets_nobody_in(window: PairingWindow) -> None:
    with pytest.raises(PairingClosedError):
        window.start(NONCE, "Home")


def test_five_wrong_proofs_close_the_window(window: PairingWindow) -> None:
    outcomes: list[Outcome] = []
    code = window.open()
    window.subscribe(outcomes.append)
    for number in range(MAX_TRIES):
        assert window.code == code
        started = window.start(nonce(number), "Guess")
        with pytest.raises(WrongProofError):
            window.finish(started.attempt, bytes(32))
    assert window.code is None
    assert outcomes == [Outcome.TOO_MANY_TRIES]


def test_tries_that_are_broken_off_count(window: PairingWindow) -> None:
    """A controller with a wrong code sees that for itself and never sends a proof."""
    window.open()
    for number in range(MAX_TRIES):
        window.start(nonce(number), "Guess")
    with pytest.raises(PairingClosedError):
        window.start(nonce(MAX_TRIES), "Guess")
    assert window.code is None


def test_the_fifth_try_may_still_be_the_right_one(window: PairingWindow) -> None:
    code = window.open()
    for number in range(MAX_TRIES - 1):
        window.start(nonce(number), "Guess")
    started = window.start(NONCE, "Home")
    assert window.finish(started.attempt, controller_proof(code, started)) == "Home"


def test_the_window_closes_after_ten_minutes(window: PairingWindow, clock: Clock) -> None:
    outcomes: list[Outcome] = []
    code = window.open()
    window.subscribe(outcomes.append)
    started = window.start(NONCE, "Home")
    clock.now += WINDOW_S - 0.001
    assert window.remaining_s == pytest.approx(0.001)
    clock.now += 0.001
    with pytest.raises(PairingClosedError):
        window.finish(started.attempt, controller_proof(code, started))
    assert window.code is None
    assert window.remaining_s == 0
    assert outcomes == [Outcome.EXPIRED]


def test_a_proof_is_worth_nothing_for_another_attempt(window: PairingWindow) -> None:
    code = window.open()
    first = window.start(NONCE, "Home")
    right = controller_proof(code, first)
    second = window.start(nonce(1), "Home")
    with pytest.raises(WrongProofError):
        window.finish(second.attempt, right)
    with pytest.raises(WrongProofError):
        window.finish(second.attempt, controller_proof(code, second, nonce(1)))  # an attempt is for one use


def test_a_nonce_is_for_one_use(window: PairingWindow) -> None:
    window.open()
    window.start(NONCE, "Home")
    with pytest.raises(PairingError):
        window.start(NONCE, "Home")
    with pytest.raises(PairingError):
        window.start(b"short", "Home")


def test_the_satellites_own_proof_does_not_come_back_as_the_controllers(window: PairingWindow) -> None:
    window.open()
    started = window.start(NONCE, "Home")
    with pytest.raises(WrongProofError):
        window.finish(started.attempt, started.proof)


def test_another_window_has_another_code(window: PairingWindow) -> None:
    old = window.open()
    started = window.start(NONCE, "Home")
    assert window.open() != old
    with pytest.raises(WrongProofError):
        window.finish(started.attempt, controller_proof(old, started))


def test_everything_is_bound_into_a_proof() -> None:
    key = proof.pairing_key("0" * 16, SATELLITE_ID)
    base = Transcript(
        satellite_id=SATELLITE_ID, fingerprint=FINGERPRINT, controller_nonce=NONCE, satellite_nonce=nonce(1)
    )
    others = [
        replace(base, satellite_id="f" * 32),
        replace(base, fingerprint=nonce(2)),
        replace(base, controller_nonce=nonce(3)),
        replace(base, satellite_nonce=nonce(4)),
        replace(base, controller_nonce=nonce(1), satellite_nonce=NONCE),
    ]
    proofs = {proof.make_proof(key, role, item) for role in Role for item in (base, *others)}
    checks = {proof.make_code_check(key, item) for item in (base, *others)}
    assert len(proofs) == 2 * (1 + len(others))
    assert len(checks) == len(others)  # the certificate is not in it, everything else is
    assert not proofs & checks


def test_the_key_is_hkdf_as_the_rfc_has_it() -> None:
    """RFC 5869, appendix A.1, by the same two steps as ours; and ours by the book."""
    extracted = hmac.digest(bytes(range(13)), b"\x0b" * 22, "sha256")
    assert extracted.hex() == "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5"
    expanded = hmac.digest(extracted, bytes(range(0xF0, 0xFA)) + b"\x01", "sha256")
    assert expanded.hex() == "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"

    hashes = pytest.importorskip("cryptography.hazmat.primitives.hashes")
    hkdf = pytest.importorskip("cryptography.hazmat.primitives.kdf.hkdf")
    derived = hkdf.HKDF(hashes.SHA256(), 32, SATELLITE_ID.encode(), b"echonet-pair-1").derive(
        b"ABCDEFGHJKMNPQRS"
    )
    assert proof.pairing_key("ABCDEFGHJKMNPQRS", SATELLITE_ID) == derived


def test_the_documented_example() -> None:
    """`docs/pairing.md` has these values for whoever writes another client."""
    key = proof.pairing_key("0123456789ABCDEF", SATELLITE_ID)
    example = Transcript(
        satellite_id=SATELLITE_ID,
        fingerprint=bytes([0xFF] * 32),
        controller_nonce=bytes([0x01] * 32),
        satellite_nonce=bytes([0x02] * 32),
    )
    documented = [
        key,
        proof.make_code_check(key, example),
        proof.make_proof(key, Role.SATELLITE, example),
        proof.make_proof(key, Role.CONTROLLER, example),
    ]
    page = (Path(__file__).parents[2] / "docs" / "pairing.md").read_text()
    for value in documented:
        assert value.hex() in page


def test_codes_are_random_and_readable() -> None:
    codes = {proof.new_code() for _ in range(100)}
    assert len(codes) == 100
    assert all(len(code) == 16 and set(code) <= set(CODE_ALPHABET) for code in codes)
    assert proof.group_code("0123456789ABCDEF") == "0123-4567-89AB-CDEF"


@given(st.text(CODE_ALPHABET, min_size=16, max_size=16), st.data())
def test_a_code_is_understood_however_it_is_typed(code: str, data: st.DataObject) -> None:
    sloppy = {"0": "0oO", "1": "1iIlL"}
    typed = "".join(
        data.draw(st.sampled_from(sloppy.get(char, char + char.lower())))
        + data.draw(st.sampled_from(["", "-", " ", "  "]))
        for char in code
    )
    assert proof.normalize_code(f" {typed}\n") == code


@pytest.mark.parametrize(
    "typed", ["", "0123-4567-89AB-CDE", "0123-4567-89AB-CDEFG", "U123456789ABCDEF", "ß" * 16]
)
def test_what_is_no_code_is_refused(typed: str) -> None:
    with pytest.raises(proof.CodeError):
        proof.normalize_code(typed)


@pytest.mark.parametrize("text", [None, 1, "", "AA", "A" * 44, "=" * 43, "é" * 43, "A" * 42 + "+"])
def test_what_is_no_nonce_is_refused(text: object) -> None:
    assert proof.from_text(text, 32) is None
    assert proof.from_text(proof.to_text(NONCE), 32) == NONCE
