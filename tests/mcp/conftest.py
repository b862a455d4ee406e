"""Real MCP servers in processes of their own, over both transports."""

from __future__ import annotations

import asyncio
import functools
import importlib
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from streaming import mcp
from streaming.mcp import registry
from tests.servers import ROOT, free_port

COMMAND = [sys.executable, "-m", "tests.mcp.server"]
ENVIRONMENT = {"PYTHONPATH": os.pathsep.join(map(str, [ROOT, *sys.path])), "SITE_KEY": "ghp_0123456789"}
Connect = Callable[..., Any]


@contextmanager
def http_server(port: int) -> Iterator[str]:
    """Runs a server and yields its address."""
    process = subprocess.Popen([*COMMAND, str(port)], env=os.environ | ENVIRONMENT, cwd=ROOT)
    try:
        for _ in range(300):
            try:
                httpx.get(f"http://127.0.0.1:{port}/")
                break
            except httpx.TransportError:
                time.sleep(0.05)
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="session")
def http_address() -> Iterator[str]:
    """The address of a server that all tests share. They must not end it."""
    with http_server(free_port()) as address:
        yield address


def stdio_entry(**more: Any) -> dict[str, Any]:
    """An entry of the settings for a server that is started."""
    return {"command": COMMAND[0], "args": COMMAND[1:], "env": ENVIRONMENT} | more


@pytest.fixture
def handshake(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets the client speak the protocol's versions before 2026: with a handshake and sessions."""
    session: Any = importlib.import_module("streaming.mcp.session")
    monkeypatch.setattr(session, "Client", functools.partial(session.Client, mode="legacy"))


@pytest.fixture(params=["stdio", "http", "http with a handshake"])
def entry(request: pytest.FixtureRequest) -> dict[str, Any]:
    """An entry of the settings for a server, over each transport."""
    if request.param == "http with a handshake":
        request.getfixturevalue("handshake")
    return stdio_entry() if request.param == "stdio" else {"url": request.getfixturevalue("http_address")}


@pytest.fixture
async def connect(settings: Any, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Connect]:
    """Connects to the servers of `connect(name=entry, …)` and waits for their first lists."""

    monkeypatch.setattr(registry, "READY_SECONDS", 30)  # a busy machine is slow to start a command

    async def connected(**entries: Any) -> None:
        settings.STREAMING_MCP_SERVERS = entries
        await mcp.ready()

    yield connected
    await mcp.close()


async def counts() -> tuple[int, int]:
    """The number of slow calls that the server `t` has begun, and of those that were cancelled."""
    told = await call("counts")
    return told["begun"], told["cancelled"]


async def counted(begun: int, cancelled: int) -> None:
    """Waits until the server has counted that."""
    async with asyncio.timeout(30):
        while await counts() != (begun, cancelled):  # noqa: ASYNC110  # another process counts
            await asyncio.sleep(0.01)


def is_alive(pid: int) -> bool:
    """True if the process exists and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def call(name: str, **arguments: Any) -> Any:
    """Calls the tool of the server `t`. Returns its output, or the text of its error."""
    tool = next(tool for tool in mcp.remote_tools().values() if tool.name == name)
    try:
        return await mcp.call(tool, arguments)
    except mcp.RemoteError as told:
        return f"error: {told}"
