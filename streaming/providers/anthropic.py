"""The provider for Anthropic and compatible servers, on the vendor's SDK. Its `OPTIONS` are `VendorOptions`."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

from streaming.protocol import DialectName
from streaming.providers.base import DOCUMENTS
from streaming.providers.betas import beta_headers
from streaming.providers.sdk import ResponseContext, SDKProvider, client_arguments


class Messages(SDKProvider):
    """Anthropic's Messages API: `POST /v1/messages`."""

    dialect: DialectName = "anthropic-messages"
    vendor = "anthropic"
    default_host = "api.anthropic.com"
    resource = "messages"
    takes = DOCUMENTS
    marks_for_all = True

    def _make(self) -> tuple[ModuleType, Any]:
        import anthropic

        return anthropic, anthropic.AsyncAnthropic(**client_arguments(anthropic, self.options))

    def _call(self, create: Callable[..., ResponseContext], body: dict[str, Any]) -> ResponseContext:
        required = {"model": body["model"], "max_tokens": body["max_tokens"], "messages": []}
        headers = beta_headers(body, self.options.headers)
        return create(**required, stream=True, extra_body=body, extra_headers=headers)
