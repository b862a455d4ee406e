"""The texts that people read beside a tool call that went wrong, in the stream and after a reload."""

from __future__ import annotations

from typing import Any

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
    """Returns the sentence for a code of `ToolCallEnded.error`."""
    return _TOOL_INPUT_ERRORS.get(error or "", "The arguments cannot be used.")


def output_error_text(output: Any, *, is_provider_executed: bool) -> str:
    """Returns the text of a failed result. A provider's own error may have any shape, and is not for people."""
    return TOOL_FAILED if is_provider_executed else str(output)
