"""An address is understood however it was pasted, and what is none is refused in words."""

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.echonet.address import Address, InvalidAddress, parse_address


@pytest.mark.parametrize(
    ("typed", "host", "port"),
    [
        ("192.168.1.20", "192.168.1.20", 8765),
        (" kitchen.local ", "kitchen.local", 8765),
        ("Kitchen.Local.", "kitchen.local.", 8765),
        ("192.168.1.20:9000", "192.168.1.20", 9000),
        ("https://192.168.1.20:8765", "192.168.1.20", 8765),
        ("https://kitchen.local/", "kitchen.local", 8765),
        ("wss://kitchen.local:9000/socket?x=1", "kitchen.local", 9000),
        ("[::1]", "::1", 8765),
        ("[fd00::20]:9000", "fd00::20", 9000),
        ("fd00::20", "fd00::20", 8765),
        ("https://[fd00::20]:9000", "fd00::20", 9000),
        ("living_room", "living_room", 8765),
    ],
)
def test_an_address_is_understood(typed: str, host: str, port: int) -> None:
    assert parse_address(typed) == Address(host=host, port=port)


@pytest.mark.parametrize(
    "typed",
    [
        *("", "   ", "https://", "kitchen local", "kitchen:0", "kitchen:70000", "kitchen:port"),
        *("[::1", "-kitchen", "kit..chen", "a" * 254, "[]:8765", "http://[kitchen]"),
    ],
)
def test_what_is_no_address_is_refused(typed: str) -> None:
    with pytest.raises(InvalidAddress):
        parse_address(typed)


@settings(deadline=None)
@given(st.text(max_size=300))
def test_whatever_is_typed_is_an_address_or_refused(typed: str) -> None:
    try:
        address = parse_address(typed)
    except InvalidAddress:
        return
    assert 0 < address.port < 65536
    assert parse_address(str(address)) == address
