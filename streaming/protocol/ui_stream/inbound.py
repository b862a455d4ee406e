"""UIMessage parts → what a client says of calls: the outputs it has, and what a person decided."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from streaming.protocol.parts import ToolApproval, ToolResult

JSONObject = dict[str, Any]


def inbound_parts(parts: Any) -> tuple[ToolResult | ToolApproval, ...]:
    """Of an assistant's parts as a client sends them, those that have an output or a decision; others are passed over.

    Nothing is taken on trust here: whoever asks has to know which calls wait for an answer, and of which kind.
    """
    return tuple(_answers(parts if isinstance(parts, list) else []))


def _answers(parts: list[Any]) -> Iterator[ToolResult | ToolApproval]:
    for part in parts:
        if isinstance(part, dict) and isinstance(part.get("toolCallId"), str):
            reader = _READERS.get(str(part.get("state")))
            if reader is not None:
                yield reader(part)


def _output(part: JSONObject) -> ToolResult:
    return ToolResult(call_id=part["toolCallId"], output=part.get("output"))


def _error(part: JSONObject) -> ToolResult:
    return ToolResult(call_id=part["toolCallId"], output=str(part.get("errorText") or ""), is_error=True)


def _decision(part: JSONObject) -> ToolApproval:
    """Whatever is not plainly a yes is a no."""
    given = part.get("approval")
    approval = given if isinstance(given, dict) else {}
    return ToolApproval(
        call_id=part["toolCallId"],
        is_approved=approval.get("approved") is True,
        reason=str(approval.get("reason") or ""),
    )


_READERS: dict[str, Callable[[JSONObject], ToolResult | ToolApproval]] = {
    "output-available": _output,
    "output-error": _error,
    "approval-responded": _decision,
}
