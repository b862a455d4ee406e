"""The connections of each event loop, and the tools that the servers have listed in this process.

The lists belong to the process, because synchronous code in threads reads them, and each loop may have its own
connections. A server's last list stays while the server is away, so that a short absence does not change what a model
is told.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from django.core.signals import setting_changed

from streaming.conf import settings
from streaming.mcp.calls import AWAY
from streaming.mcp.connection import Connection
from streaming.mcp.names import server_of
from streaming.mcp.results import RemoteError
from streaming.mcp.secrets import secrets_of
from streaming.mcp.servers import Server, configured
from streaming.mcp.tools import RemoteTool
from streaming.per_loop import PerLoop
from streaming.providers.redact import hide

READY_SECONDS = 5.0
"""The longest time for which a message waits for servers that have not answered yet. Their tools are added later."""

_connections: PerLoop[dict[str, Connection]] = PerLoop(dict)
_listed: dict[str, tuple[RemoteTool, ...]] = {}


def connect() -> dict[str, Connection]:
    """Returns the running event loop's connections by server, and begins to connect those that are missing."""
    if not settings.MCP_SERVERS:
        return {}
    made = _connections.get()
    for name, server in configured().items():
        if name not in made or made[name].has_ended:
            hide(*secrets_of(server))
            made[name] = Connection(server, _listed.__setitem__)
    return made


async def ready() -> None:
    """Waits until each server has answered or failed once, for at most `READY_SECONDS` after its first try began."""
    waiting = [one for one in connect().values() if not one.tried.is_set()]
    if waiting:
        with suppress(TimeoutError):
            async with asyncio.timeout_at(max(one.began for one in waiting) + READY_SECONDS):
                await asyncio.gather(*(one.tried.wait() for one in waiting))


async def close() -> None:
    """Ends the running event loop's connections, and the commands that were started."""
    made = _connections.pop() or {}
    await asyncio.gather(*(connection.close() for connection in made.values()))


async def call(tool: RemoteTool, arguments: dict[str, Any]) -> Any:
    """Calls a tool and returns its output as a JSON value.

    Raises:
        RemoteError: the call failed. Its text is for the model.
    """
    connection = connect().get(tool.server)
    if connection is None:
        raise RemoteError(AWAY)
    return await connection.call(tool.name, arguments)


def remote_tools() -> dict[str, RemoteTool]:
    """Returns the tools of all servers by full name, in the order of the settings and of the servers' lists."""
    if not settings.MCP_SERVERS:
        return {}
    every = (tool for name in configured() for tool in _listed.get(name, ()))
    found: dict[str, RemoteTool] = {}
    for tool in every:
        found.setdefault(tool.spec.name, tool)  # a server may list a name twice
    return found


def server_for(full_name: str) -> Server | None:
    """Returns the server to whose tools a full name belongs, whether it is connected or not; None if there is none."""
    return configured().get(server_of(full_name)) if settings.MCP_SERVERS else None


def labels() -> dict[str, str]:
    """Returns the label of each server by name."""
    return {name: server.label for name, server in configured().items()} if settings.MCP_SERVERS else {}


def _reset(*, setting: str, **kwargs: Any) -> None:
    """Ends the connections that were made from old settings, each on its own event loop."""
    if setting == "STREAMING_MCP_SERVERS":
        _listed.clear()
        for loop, made in _connections.items():
            for connection in made.values():
                if loop.is_running():
                    loop.call_soon_threadsafe(connection.cancel)
            made.clear()


setting_changed.connect(_reset, dispatch_uid="streaming.mcp")
