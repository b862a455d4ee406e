"""A tool of a server, as a plain value."""

from __future__ import annotations

from typing import Any

import msgspec

from streaming.mcp.names import full_name
from streaming.mcp.servers import Server
from streaming.protocol import ToolSpec


class RemoteTool(msgspec.Struct, frozen=True, kw_only=True):
    """One tool. `spec` is what the model is told, `name` the server's own name. `seconds` is as in `Server.timeout`."""

    server: str
    name: str
    spec: ToolSpec
    needs_approval: bool
    seconds: float | None


def remote_tool(server: Server, listed: Any) -> RemoteTool:
    """Returns the value for a tool that a server has listed, a `mcp_types.Tool`."""
    hints = listed.annotations
    return RemoteTool(
        server=server.name,
        name=listed.name,
        spec=ToolSpec(
            name=full_name(server.name, listed.name),
            description=listed.description or listed.title or "",
            # OpenAI refuses an object without properties.
            parameters={"properties": {}, **listed.input_schema},
        ),
        needs_approval=server.asks_first(
            listed.name,
            is_read_only=hints and hints.read_only_hint,
            is_destructive=hints.destructive_hint if hints else None,
        ),
        seconds=server.timeout,
    )
