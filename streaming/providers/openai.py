"""OpenAI, and every server that speaks its APIs, through the vendor's SDK. `OPTIONS` are `SDKOptions`."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from streaming.providers.base import DOCUMENTS, Dialect
from streaming.providers.sdk import Opening, SDKProvider, client_arguments


class ChatCompletions(SDKProvider):
    """`POST /chat/completions`: OpenAI and most of the rest of the world."""

    dialect: Dialect = "openai-chat"
    sdk_name = "openai"
    default_host = "api.openai.com"
    takes = DOCUMENTS

    def _connect(self) -> tuple[ModuleType, Any]:
        import openai

        return openai, openai.AsyncOpenAI(**client_arguments(openai, self.options))

    def _open(self, client: Any, body: dict[str, Any]) -> Opening:
        create = client.chat.completions.with_streaming_response.create
        opening: Opening = create(model=body["model"], messages=[], stream=True, extra_body=body)
        return opening


class Responses(ChatCompletions):
    """`POST /responses`: OpenAI's newer API, with reasoning that can be sent back."""

    dialect: Dialect = "openai-responses"

    def _open(self, client: Any, body: dict[str, Any]) -> Opening:
        create = client.responses.with_streaming_response.create
        opening: Opening = create(model=body["model"], input=[], stream=True, extra_body=body)
        return opening
