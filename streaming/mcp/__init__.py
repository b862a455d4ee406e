"""MCP: the tools of other servers, over the Model Context Protocol.

    STREAMING_MCP_SERVERS = {"shop": {"url": "https://mcp.example.com/mcp", "approval": ["cancel_order"]}}

Each event loop has one connection to each server. `ready` waits for the first lists of tools, `remote_tools` returns
what the servers have listed, `call` calls a tool, `close` ends the connections. The package `mcp` does the protocol.
"""

from __future__ import annotations

from streaming.mcp.names import full_name, server_of
from streaming.mcp.registry import call, close, connect, labels, ready, remote_tools, server_for
from streaming.mcp.results import RemoteError
from streaming.mcp.servers import Server, configured, problems
from streaming.mcp.tools import RemoteTool

__all__ = [
    "RemoteError",
    "RemoteTool",
    "Server",
    "call",
    "close",
    "configured",
    "connect",
    "full_name",
    "labels",
    "problems",
    "ready",
    "remote_tools",
    "server_for",
    "server_of",
]
