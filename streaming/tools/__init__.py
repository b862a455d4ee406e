"""Tools: Python functions that a model may call.

    @tool
    def order_status(number: int) -> str:
        "Where an order is."

    STREAMING_TOOLS = ["shop.tools.order_status"]

`tool` makes a `Tool` of a function, `registry` knows those of the settings, `bench` executes calls.
"""

from __future__ import annotations

from streaming.tools.bench import Bench
from streaming.tools.registry import AnyTool, Toolbox, registered, toolbox_for
from streaming.tools.tool import Tool, ToolContext, ToolError, tool

__all__ = ["AnyTool", "Bench", "Tool", "ToolContext", "ToolError", "Toolbox", "registered", "tool", "toolbox_for"]
