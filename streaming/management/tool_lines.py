"""The lines about tool calls that commands write to standard error."""

from __future__ import annotations

import json
from typing import Any

LINES = {
    "tool-input-available": "[{toolName} {input}]",
    "tool-output-available": "[{toolName} → {output}]",
    "tool-output-error": "[{toolName} failed: {errorText}]",
    "tool-output-denied": "[{toolName} refused]",
}
"""The type of a UI chunk -> its line."""


class ToolLines:
    """Writes the lines of one command. It remembers the names of the calls, which their results do not have."""

    def __init__(self, indent: int | None = None) -> None:
        self._indent = indent
        self._names: dict[str, str] = {}

    def line(self, chunk: dict[str, Any]) -> str:
        """Returns the line about a chunk; empty if it is not about a tool call. What is no text becomes JSON."""
        form = LINES.get(chunk["type"])
        if form is None:
            return ""
        name = self._names.setdefault(chunk["toolCallId"], chunk.get("toolName", "tool"))
        values = {key: _readable(value, self._indent) for key, value in chunk.items()}
        return form.format(**values | {"toolName": name})


def _readable(value: Any, indent: int | None) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=indent)
