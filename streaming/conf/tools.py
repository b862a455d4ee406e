"""The settings of tools."""

from __future__ import annotations

from typing import Any

from streaming.conf.rules import SECONDS, checked_elsewhere, unchanged, whole
from streaming.conf.setting import Setting


class ToolSettings:
    """See `streaming.conf.settings.Settings`."""

    TOOLS: Setting[list[str]] = Setting(
        checked_elsewhere(unchanged, "a list of dotted paths"),
        (),
        "The dotted paths of the site's tools: functions with the decorator `streaming.tools.tool`, or `ToolSpec` "
        "objects.",
    )
    MCP_SERVERS: Setting[dict[str, dict[str, Any]]] = Setting(
        checked_elsewhere(unchanged, "a dict of server entries by name"),
        {},
        "The MCP servers whose tools models may call, by name: see [mcp.md](mcp.md).",
    )
    MAX_STEPS = Setting(
        whole(2),
        8,
        "The number of requests to the model within one answer. Each further request has the results of the tools "
        "that the model called. In the last one the model may not call tools.",
    )
    TOOL_SECONDS = Setting(
        SECONDS,
        60,
        "The longest time for one tool call, including the wait for a free place. A tool may set its own limit.",
    )
    TOOL_CONCURRENCY = Setting(
        whole(1), 8, "The number of tool calls that one process executes at once. Further calls wait."
    )
    MAX_TOOL_OUTPUT_CHARS = Setting(
        whole(1),
        100_000,
        "The largest output of a tool, as JSON. It is stored, sent to clients, and sent to the model at each "
        "further step.",
    )
    MAX_CLIENT_TOOLS = Setting(
        whole(0),
        20,
        "The number of tools that an AG-UI client may send with a request. The model gets their names, "
        "descriptions and schemas. 0: the app ignores the tools of clients.",
    )
