"""One Node process for the session, with the npm packages that the lock names."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any, Protocol

import pytest

from tests.live.client import Visit, Visitor
from tests.live.use_chat.driver import CLIENTS, DIRECTORY, Chat, Driver
from tests.servers import Site

OLDEST_NODE = 18
INSTALL = ("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")


class OpenChat(Protocol):
    """`isBrief=True` makes the client send its last message only, `isAutomatic=True` go on by itself after tools."""

    def __call__(
        self, visitor: Visitor, provider: str = "default", messages: Sequence[dict[str, Any]] = (), **options: bool
    ) -> Chat: ...


@pytest.fixture(scope="session")
def driver() -> Iterator[Driver]:
    """The client, installed and running."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("node and npm are not installed")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if int(version.removeprefix("v").partition(".")[0]) < OLDEST_NODE:
        pytest.skip(f"node is {version}; the clients need {OLDEST_NODE} or newer")
    _install(npm)
    running = Driver(node)
    yield running
    running.close()


def _install(npm: str) -> None:
    """`npm ci`, unless what is installed is what the lock names."""
    lock, installed = DIRECTORY / "package-lock.json", DIRECTORY / "node_modules" / ".package-lock.json"
    if installed.exists() and installed.stat().st_mtime >= lock.stat().st_mtime:
        return
    done = subprocess.run([npm, *INSTALL], cwd=DIRECTORY, capture_output=True, text=True, timeout=100)
    if done.returncode:
        pytest.skip(f"npm ci failed: {done.stderr.strip()}")


@pytest.fixture(params=CLIENTS)
def client(request: pytest.FixtureRequest) -> tuple[str, str]:
    """Version and transport, each in turn."""
    return CLIENTS[request.param]


@pytest.fixture
async def open_chat(driver: Driver, client: tuple[str, str]) -> AsyncIterator[OpenChat]:
    """Open chats in the client; they are closed at the end of the test."""
    chats: list[Chat] = []

    def opened(
        visitor: Visitor, provider: str = "default", messages: Sequence[dict[str, Any]] = (), **options: bool
    ) -> Chat:
        chats.append(Chat(driver, client, visitor, provider, messages, **options))
        return chats[-1]

    yield opened
    for chat in chats:
        await chat.close()


@pytest.fixture
async def visitor(visit: Visit, site: Site) -> Visitor:
    """Somebody whose session has begun, as a page that opens a socket needs it."""
    return await visit(site).greet()
