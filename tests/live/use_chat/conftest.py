"""One Node process for the session, with the npm packages of the lock file."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any, Protocol

import pytest

from tests.live.client import Visit, Visitor
from tests.live.use_chat.driver import CLIENTS, DIRECTORY, Chat, Driver
from tests.node import node_with_packages
from tests.servers import Site


class OpenChat(Protocol):
    """`isBrief=True` makes the client send only its last message, `isAutomatic=True` continue by itself after tools.

    With `isFromStart=True` it resumes over HTTP as the documentation says, and with `wantsHtml=True` its socket
    gets HTML. `url` is another address of the site.
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
    """A version and a transport, each combination in turn."""
    return CLIENTS[request.param]


@pytest.fixture
async def open_chat(driver: Driver, client: tuple[str, str]) -> AsyncIterator[OpenChat]:
    """Opens chats in the client. They are closed at the end of the test."""
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
    """A person whose session exists already, because a page that opens a socket needs it."""
    return await visit(site).greet()
