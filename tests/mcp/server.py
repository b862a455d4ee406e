"""A real MCP server for tests, which behaves badly on request: python -m tests.mcp.server [PORT]

Without a port it speaks over its standard input and output.
"""

from __future__ import annotations

import asyncio
import base64
import os
import sys
from typing import Any

from mcp.server.mcpserver import Context, Image, MCPServer
from mcp_types import ToolAnnotations

server = MCPServer("tests", log_level="CRITICAL")
WIRE = os.dup(1)  # the package sends what tools print to the standard error
counted = {"begun": 0, "cancelled": 0}


@server.tool(annotations=ToolAnnotations(read_only_hint=True))
def echo(text: str) -> str:
    """Says it again."""
    return text


@server.tool(name="add.numbers", annotations=ToolAnnotations(destructive_hint=False))
def add(a: int, b: int) -> dict[str, int]:
    """Adds."""
    return {"sum": a + b}


@server.tool(annotations=ToolAnnotations(read_only_hint=True))
async def slow(seconds: float) -> str:
    """Takes its time."""
    counted["begun"] += 1
    try:
        await asyncio.sleep(seconds)
    except asyncio.CancelledError:
        counted["cancelled"] += 1
        raise
    return "done"


@server.tool(annotations=ToolAnnotations(read_only_hint=True))
def counts() -> dict[str, int]:
    """The number of slow calls that have begun, and of those that were cancelled."""
    return dict(counted)


@server.tool(annotations=ToolAnnotations(read_only_hint=True))
def pid() -> int:
    """The number of the server's process."""
    return os.getpid()


@server.tool(annotations=ToolAnnotations(read_only_hint=True))
def die() -> str:
    """Ends the server in the middle of the call."""
    os._exit(1)


@server.tool()
def fail(text: str) -> str:
    """Fails."""
    raise ValueError(text)


@server.tool()
def picture() -> Any:
    """Gives a text and a picture."""
    return ["Here:", Image(data=base64.b64decode("iVBORw0KGgo="), format="png")]


@server.tool(annotations=ToolAnnotations(read_only_hint=True))
def huge(size: int) -> str:
    """Gives much."""
    return "x" * size


@server.tool(annotations=ToolAnnotations(read_only_hint=True))
def garbage() -> str:
    """Prints what is no message."""
    os.write(WIRE, b'Listening on port 9\n\xff\xfe\n{"half": \n[]\n')
    return "printed"


@server.tool(annotations=ToolAnnotations(read_only_hint=True))
def environment(variable: str) -> str:
    """A variable of the server's environment."""
    return os.environ.get(variable, "")


@server.tool()
async def grow(tool: str, context: Context) -> str:  # type: ignore[type-arg]
    """Adds a tool, and says so to clients of every version."""
    server.add_tool(echo, name=tool)
    await context.notify_tools_changed()
    await context.session.send_tool_list_changed()
    return "grown"


if __name__ == "__main__":
    if sys.argv[1:]:
        server.run("streamable-http", port=int(sys.argv[1]))
    else:
        server.run("stdio")
