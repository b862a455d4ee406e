"""The tools of MCP servers as tools of the site."""

from __future__ import annotations

from typing import Any

from streaming.mcp import RemoteError, RemoteTool, call, remote_tools, server_for
from streaming.protocol import ToolSpec
from streaming.tools.tool import Tool, ToolError

ABSENT = "The server of this tool is not connected, or it does not have the tool any more. The tool was not called."


def tools_of_servers() -> dict[str, Tool]:
    """Returns the tools that the servers have listed, by full name."""
    return {name: _tool(remote) for name, remote in remote_tools().items()}


def absent_tool(name: str) -> Tool | None:
    """Returns a tool that only says that it is absent, if the name belongs to an MCP server of the settings; else None.

    So neither a client nor a person who approves has to answer for a tool whose server is away.
    """
    if server_for(name) is None:
        return None

    async def absent(**arguments: Any) -> Any:
        raise ToolError(ABSENT)

    return Tool(spec=ToolSpec(name=name, description="", parameters={}), function=absent, arguments=None)


def _tool(remote: RemoteTool) -> Tool:
    async def called(**arguments: Any) -> Any:
        try:
            return await call(remote, arguments)
        except RemoteError as told:
            raise ToolError(str(told)) from None

    return Tool(
        spec=remote.spec,
        function=called,
        arguments=None,
        needs_approval=remote.needs_approval,
        seconds=remote.seconds,
    )
