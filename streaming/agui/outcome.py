"""The end of a run that did not fail: its outcome, its usage, and the metadata of the answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from streaming.agui.events import Event

COUNTS = ("inputTokens", "outputTokens", "reasoningTokens", "cachedInputTokens")
DECISION = {
    "type": "object",
    "properties": {"approved": {"type": "boolean"}, "reason": {"type": "string"}},
    "required": ["approved"],
}
"""The JSON schema of the payload that decides about a call."""


def finished(metadata: dict[str, Any], asked: Sequence[str], waiting: Sequence[str], *, is_cancelled: bool) -> Event:
    """Returns RUN_FINISHED. The calls in `asked` wait for a decision; the client executes those in `waiting`."""
    outcome: dict[str, Any] = {"type": "success"}
    if is_cancelled:
        outcome = {"type": "cancelled"}
    elif asked:
        outcome = {"type": "interrupt", "interrupts": [_question(call) for call in asked]}
    elif waiting:
        outcome["pendingToolCallIds"] = [*waiting]
    return {"type": "RUN_FINISHED", "outcome": outcome, **usage_of(metadata), "metadata": metadata}


def usage_of(metadata: dict[str, Any]) -> dict[str, Any]:
    """Returns the field `usage` of an event that ends a run; none if nothing is known."""
    told = metadata.get("usage") or {}
    counts = {name: told[name] for name in COUNTS if told.get(name) is not None}
    if not counts:
        return {}
    if "inputTokens" in counts and "outputTokens" in counts:
        counts["totalTokens"] = counts["inputTokens"] + counts["outputTokens"]
    return {"usage": [counts | ({"model": metadata["model"]} if metadata.get("model") else {})]}


def _question(call: str) -> dict[str, Any]:
    return {"id": call, "reason": "tool_call", "toolCallId": call, "responseSchema": DECISION}
