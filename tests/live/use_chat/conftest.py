"""One Node process for the session, with the npm packages that the lock names."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any, Protocol

import pytest

from tests.live.client import Visit, Visitor
from tests.live.use_chat.driver import CLIENTS, DIRECTORY, Chat, Driver
from tests.node import node_with_packages
from tests.servers import Site


class OpenChat(Protocol):
    """`isBrief=True` makes the client send its last message only, `isAutomatic=True` go on by itself after tools.

    With `isFromStart=True` it comes back over HTTP as the documentation says. `url` is another way to the site.
    """

    def __call__(
        self,
        visitor: Visitor,
        provider: str = "default",
        messages: Sequence[dict[str, Any]] = (),
        *,
        url: str = "",
        **options: bool,
    ) -> Chat: ...


@pytest.fixture(scope="session")
def driver() -> Iterator[Driver]:
    """The client, installed and running."""
    running = Driver(node_with_packages(DIRECTORY))
    yield running
    running.close()


@pytest.fixture(params=CLIENTS)
def client(request: pytest.FixtureRequest) -> tuple[str, str]:
    """Version and transport, each in turn."""
    return CLIENTS[request.param]


@pytest.fixture
async def open_chat(driver: Driver, client: tuple[str, str]) -> AsyncIterator[OpenChat]:
    """Open chats in the client; they are closed at the end of the test."""
    chats: list[Chat] = []

    def opened(
        visitor: Visitor,
        provider: str = "default",
        messages: Sequence[dict[str, Any]] = (),
        *,
        url: str = "",
        **options: bool,
    ) -> Chat:
        chats.append(Chat(driver, client, visitor, provider, messages, url=url, **options))
        return chats[-1]

    yield opened
    for chat in chats:
        await chat.close()


@pytest.fixture
async def visitor(visit: Visit, site: Site) -> Visitor:
    """Somebody whose session has begun, as a page that opens a socket needs it."""
    return await visit(site).greet()
