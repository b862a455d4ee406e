"""Tools: Python functions that a model may call.

    @tool
    def order_status(number: int) -> str:
        "Tells where an order is."

    STREAMING_TOOLS = ["shop.tools.order_status"]

`tool` makes a `Tool` of a function. The tools of MCP servers are `Tool`s, too (`streaming.mcp`). A `Toolbox` holds the
tools that one generation is offered. A `ToolExecutor` executes calls, a limited number at a time.
"""

from __future__ import annotations

from streaming.tools.executor import BROKEN_OFF, ToolExecutor, failure
from streaming.tools.registry import AnyTool, Toolbox, is_ours, registered, site_tools, toolbox_for
from streaming.tools.tool import Tool, ToolContext, ToolError, tool

__all__ = [
    "BROKEN_OFF",
    "AnyTool",
    "Tool",
    "ToolContext",
    "ToolError",
    "ToolExecutor",
    "Toolbox",
    "failure",
    "is_ours",
    "registered",
    "site_tools",
    "tool",
    "toolbox_for",
]
