"""The satellite's tests speak TLS over the loopback interface, which the Home Assistant harness forbids by default."""

from importlib.util import find_spec

from hypothesis import HealthCheck, settings
import pytest

# A busy machine is slow, and that is no fault of what is tested.
settings.register_profile("echonet", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("echonet")


@pytest.fixture(autouse=True)
def _sockets_allowed() -> None:
    if find_spec("pytest_socket") is not None:
        import pytest_socket  # noqa: PLC0415 - only where Home Assistant's harness is installed

        pytest_socket.enable_socket()
