"""The table of dialects, and what each of them has to provide."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Literal, Protocol

import msgspec

from streaming.protocol.dialects.answer import AnswerWriter
from streaming.protocol.dialects.anthropic_messages import AnthropicMessagesStream, messages_body
from streaming.protocol.dialects.openai_chat import OpenAIChatStream, chat_body
from streaming.protocol.dialects.openai_responses import OpenAIResponsesStream, responses_body
from streaming.protocol.requests import GenerationRequest, with_stable_keys, without_foreign

DialectName = Literal["openai-chat", "openai-responses", "anthropic-messages"]
"""The keys of `DIALECTS`."""


class DialectStream(Protocol):
    """Reads the events of one stream. It keeps its own state and writes to the `AnswerWriter` it was made with."""

    payload: ClassVar[type[msgspec.Struct]]
    """The type that the JSON of one event is decoded to. It has only fields that are read, each with a default."""

    def __init__(self, writer: AnswerWriter) -> None: ...

    def read(self, payload: Any, event: bytes, data: bytes) -> None:
        """Reads one event: its payload, its SSE name (may be empty), and the bytes the payload was decoded from."""

    awaits_late: bool
    """True while one more event may bring the usage, or the reason of a failure. Otherwise the answer would be over."""

    def done(self) -> None:
        """Reads `[DONE]`."""

    def read_late(self, payload: Any) -> None:
        """Reads one more event while `awaits_late`."""

    def end(self) -> None:
        """Ends the answer at the end of the bytes: finished if completion was signalled, else truncated."""


class Dialect(msgspec.Struct, frozen=True):
    """One wire dialect in both directions: how its streams are read, and how a request for one is written."""

    stream: type[DialectStream]
    body: Callable[[GenerationRequest], dict[str, Any]]
    """Returns the JSON body that asks for the stream."""


DIALECTS: dict[str, Dialect] = {
    "anthropic-messages": Dialect(AnthropicMessagesStream, messages_body),
    "openai-chat": Dialect(OpenAIChatStream, chat_body),
    "openai-responses": Dialect(OpenAIResponsesStream, responses_body),
}


def encode(dialect: str, request: GenerationRequest) -> dict[str, Any]:
    """Returns the JSON body of `request` in `dialect`, a key of `DIALECTS`."""
    turns = with_stable_keys(without_foreign(request.turns, request.origin))
    return DIALECTS[dialect].body(msgspec.structs.replace(request, turns=turns))
