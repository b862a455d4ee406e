"""The lines about tool calls that commands write to standard error."""

from __future__ import annotations

import json
from typing import Any

LINES = {
    "tool-input-available": "[{toolName} {input}]",
    "tool-output-available": "[→ {output}]",
    "tool-output-error": "[failed: {errorText}]",
    "tool-output-denied": "[refused]",
}
"""The type of a UI chunk -> its line."""


def tool_line(chunk: dict[str, Any], indent: int | None = None) -> str:
    """Returns the line about a chunk; empty if it is not about a tool call. Values that are not text become JSON."""
    form = LINES.get(chunk["type"], "")
    return form.format(**{name: _readable(value, indent) for name, value in chunk.items()})


def _readable(value: Any, indent: int | None) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=indent)
