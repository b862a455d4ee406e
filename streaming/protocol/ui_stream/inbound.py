"""Reads UIMessage parts that a client sends back: results of tool calls, and decisions about calls."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from streaming.protocol.parts import ToolApproval, ToolResult

JSONObject = dict[str, Any]


def inbound_parts(parts: Any) -> tuple[ToolResult | ToolApproval, ...]:
    """Returns the results and decisions in an assistant message that a client sent. Other parts are ignored.

    Nothing is checked here: the caller must know which calls wait for a result or a decision.
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
    """Reads a decision. Only a plain `true` counts as yes."""
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
