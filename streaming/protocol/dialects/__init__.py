"""The wire grammars, one module each: a decoded payload in, verbs on the `Answer` out."""

from __future__ import annotations

from typing import Any, ClassVar, Protocol

import msgspec

from streaming.protocol.dialects.answer import Answer
from streaming.protocol.dialects.anthropic_messages import AnthropicMessages
from streaming.protocol.dialects.openai_chat import OpenAIChat
from streaming.protocol.dialects.openai_responses import OpenAIResponses


class Dialect(Protocol):
    """What a grammar has to know. It keeps its own state and writes to the `Answer` it was made with."""

    payload: ClassVar[type[msgspec.Struct]]
    """What the JSON of one event is decoded to; only fields that are read, each with a default."""

    def __init__(self, answer: Answer) -> None: ...

    def read(self, payload: Any, event: bytes, data: bytes) -> None:
        """Take one event: its payload, its SSE name (may be empty), and the bytes the payload was decoded from."""

    def done(self) -> None:
        """`[DONE]` was sent."""

    def end(self) -> None:
        """The bytes ended without a signal in the last event: finish if completion was signalled, else truncate."""


DIALECTS: dict[str, type[Dialect]] = {
    "anthropic-messages": AnthropicMessages,
    "openai-chat": OpenAIChat,
    "openai-responses": OpenAIResponses,
}
