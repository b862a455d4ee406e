"""The providers for OpenAI and compatible servers, on the vendor's SDK. Their `OPTIONS` are `VendorOptions`."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

from streaming.protocol import DialectName
from streaming.providers.base import DOCUMENTS
from streaming.providers.sdk import ResponseContext, SDKProvider, client_arguments


class ChatCompletions(SDKProvider):
    """The Chat Completions API of OpenAI and most compatible servers: `POST /chat/completions`."""

    dialect: DialectName = "openai-chat"
    vendor = "openai"
    default_host = "api.openai.com"
    resource = "chat.completions"
    takes = DOCUMENTS

    def _make(self) -> tuple[ModuleType, Any]:
        import openai

        return openai, openai.AsyncOpenAI(**client_arguments(openai, self.options))

    def _call(self, create: Callable[..., ResponseContext], body: dict[str, Any]) -> ResponseContext:
        return create(model=body["model"], messages=[], stream=True, extra_body=body)


class Responses(ChatCompletions):
    """OpenAI's newer Responses API: `POST /responses`. Its reasoning can be sent back with the next request."""

    dialect: DialectName = "openai-responses"
    resource = "responses"

    def _call(self, create: Callable[..., ResponseContext], body: dict[str, Any]) -> ResponseContext:
        return create(model=body["model"], input=[], stream=True, extra_body=body)
