"""The vendors' own compaction: what the policy `vendor` adds to a request.

The vendor shortens the conversation itself. Its block or item of type `compaction` is kept as a part of the answer and
goes back with the next turn. Sources: `anthropic.types.beta.BetaCompact20260112EditParam` and
`openai.types.responses.response_create_params.ContextManagement`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

ANTHROPIC_THRESHOLD = 150_000
"""The API's own default, in input tokens. It refuses a trigger below 50,000."""
LEAST_TRIGGER = 50_000


def _anthropic(allowed: int | None) -> dict[str, Any]:
    at = ANTHROPIC_THRESHOLD if allowed is None else max(LEAST_TRIGGER, allowed)
    edit = {"type": "compact_20260112", "trigger": {"type": "input_tokens", "value": at}}
    return {"context_management": {"edits": [edit]}}


def _responses(allowed: int | None) -> dict[str, Any]:
    if allowed is None:
        return {"truncation": "auto"}
    return {"context_management": [{"type": "compaction", "compact_threshold": allowed}]}


VENDOR_BODIES: dict[str, Callable[[int | None], dict[str, Any]]] = {
    "anthropic-messages": _anthropic,
    "openai-responses": _responses,
}
"""The dialect -> the function that writes the fields for a number of allowed tokens, or None if it is not known."""


def vendor_body(dialect: str, given: dict[str, Any] | None, allowed: int | None) -> dict[str, Any]:
    """Returns the fields that the policy `vendor` adds to a request: `given`, or those of the dialect."""
    if given is not None:
        return given
    write = VENDOR_BODIES.get(dialect)
    return write(allowed) if write else {}
