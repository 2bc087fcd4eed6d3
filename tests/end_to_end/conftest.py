"""One listening room for all end-to-end tests, on an event loop that lives as long as it does."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
import pytest_socket

from house.listening_room import ListeningRoom, listening_room, why_no_listening_room


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "end_to_end" in item.path.parts:
            item.add_marker(pytest.mark.end_to_end)


@pytest.fixture(autouse=True)
def verify_cleanup() -> None:
    """Replaces the harness's check for tasks that outlive a test: the room is meant to."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def room(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ListeningRoom]:
    """A listening room."""
    if reason := why_no_listening_room():
        pytest.skip(reason)
    # The harness forbids sockets; this test process is a client of real programs.
    pytest_socket.enable_socket()
    async with listening_room(tmp_path_factory.mktemp("room"), progress=print) as built:
        yield built


@pytest.fixture(autouse=True)
def _sockets_allowed() -> None:
    pytest_socket.enable_socket()
