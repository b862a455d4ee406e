"""The header with which Anthropic's API allows what is not in its stable version."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

BETA = "anthropic-beta"
BETAS = {
    "compact_20260112": "compact-2026-01-12",
    "clear_tool_uses_20250919": "context-management-2025-06-27",
    "clear_thinking_20251015": "context-management-2025-06-27",
}
"""The type of a context edit -> the beta that allows it (`anthropic.types.AnthropicBetaParam`)."""


def beta_headers(body: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, str]:
    """Returns the header that allows the context edits of a request, beside the betas that the site names itself."""
    managed = body.get("context_management")
    edits = managed.get("edits") if isinstance(managed, dict) else None
    types = {edit.get("type") for edit in edits or () if isinstance(edit, dict)}
    own = next((value for name, value in given.items() if name.lower() == BETA), "")
    needed = [BETAS[type] for type in BETAS if type in types and BETAS[type] not in own]
    return {BETA: ",".join(filter(None, [own, *needed]))} if needed else {}
