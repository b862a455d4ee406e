"""What a provider is asked: the conversation so far and how to continue it. Values only; no ids, no rows.

One module beside this one words it for each dialect; `encode` picks the module.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import msgspec

from streaming.protocol.parts import Turn
from streaming.protocol.requests import anthropic_messages, openai_chat, openai_responses


class ToolSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A function the model may call; `parameters` is a JSON schema of type object."""

    name: str
    description: str
    parameters: dict[str, Any]


class GenerationRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One request for an answer. None leaves the choice to the provider (or to its `OPTIONS`).

    `tool_choice` is `auto`, `required`, `none`, or the name of one tool. `extra` is merged into the body last.
    """

    turns: tuple[Turn, ...]
    system: str = ""
    model: str | None = None
    max_output_tokens: int | None = None
    temperature: float | None = None
    tools: tuple[ToolSpec, ...] = ()
    tool_choice: Literal["auto", "required", "none"] | str | None = None
    extra: dict[str, Any] = {}


BODIES: dict[str, Callable[[GenerationRequest], dict[str, Any]]] = {
    "openai-chat": openai_chat.body,
    "openai-responses": openai_responses.body,
    "anthropic-messages": anthropic_messages.body,
}


def encode(dialect: str, request: GenerationRequest) -> dict[str, Any]:
    """The request's JSON body in `dialect`, one of the keys of `BODIES`."""
    return BODIES[dialect](request)
