"""Anthropic, and every server that speaks its API, through the vendor's SDK. `OPTIONS` are `SDKOptions`."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from streaming.providers.base import DOCUMENTS, Dialect
from streaming.providers.sdk import Opening, SDKProvider, client_arguments


class Messages(SDKProvider):
    """`POST /v1/messages`."""

    dialect: Dialect = "anthropic-messages"
    sdk_name = "anthropic"
    default_host = "api.anthropic.com"
    takes = DOCUMENTS

    def _connect(self) -> tuple[ModuleType, Any]:
        import anthropic

        return anthropic, anthropic.AsyncAnthropic(**client_arguments(anthropic, self.options))

    def _open(self, client: Any, body: dict[str, Any]) -> Opening:
        create = client.messages.with_streaming_response.create
        required = {"model": body["model"], "max_tokens": body["max_tokens"], "messages": []}
        opening: Opening = create(**required, stream=True, extra_body=body)
        return opening
