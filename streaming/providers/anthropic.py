"""The provider for Anthropic and compatible servers, on the vendor's SDK. Its `OPTIONS` are `SDKOptions`."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Any

from streaming.protocol import DialectName
from streaming.providers.base import DOCUMENTS
from streaming.providers.sdk import ResponseContext, SDKProvider, client_arguments

BETA = "anthropic-beta"
BETAS = {
    "compact_20260112": "compact-2026-01-12",
    "clear_tool_uses_20250919": "context-management-2025-06-27",
    "clear_thinking_20251015": "context-management-2025-06-27",
}
"""The type of a context edit -> the beta that allows it (`anthropic.types.AnthropicBetaParam`)."""


class Messages(SDKProvider):
    """Anthropic's Messages API: `POST /v1/messages`."""

    dialect: DialectName = "anthropic-messages"
    sdk_name = "anthropic"
    default_host = "api.anthropic.com"
    resource = "messages"
    takes = DOCUMENTS
    marks_for_all = True

    def _connect(self) -> tuple[ModuleType, Any]:
        import anthropic

        return anthropic, anthropic.AsyncAnthropic(**client_arguments(anthropic, self.options))

    def _open(self, client: Any, body: dict[str, Any]) -> ResponseContext:
        required = {"model": body["model"], "max_tokens": body["max_tokens"], "messages": []}
        headers = beta_headers(body, self.options.headers)
        return self._create(client)(**required, stream=True, extra_body=body, extra_headers=headers)


def beta_headers(body: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, str]:
    """Returns the header that allows the context edits of a request, beside the betas that the site names itself."""
    managed = body.get("context_management")
    edits = managed.get("edits") if isinstance(managed, dict) else None
    types = {edit.get("type") for edit in edits or () if isinstance(edit, dict)}
    own = next((value for name, value in given.items() if name.lower() == BETA), "")
    needed = [BETAS[type] for type in BETAS if type in types and BETAS[type] not in own]
    return {BETA: ",".join(filter(None, [own, *needed]))} if needed else {}
