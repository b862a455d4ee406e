"""What people read beside a tool call that went wrong, while it streams and after a reload alike."""

from __future__ import annotations

# A provider's own account of it is for the provider, and may be of any shape.
TOOL_FAILED = "The provider's tool failed."

# Keys are `ToolCallEnded.error`.
_TOOL_INPUT_ERRORS = {
    "truncated": "The arguments were cut off.",
    "invalid_json": "The arguments are not valid JSON.",
    "not_an_object": "The arguments are not a JSON object.",
    "concatenated": "The arguments hold more than one JSON value.",
    "too_large": "The arguments are too large.",
}


def input_error_text(error: str | None) -> str:
    """The sentence for a verdict's code."""
    return _TOOL_INPUT_ERRORS.get(error or "", "The arguments cannot be used.")
