"""One request for an answer, and the tools it offers."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from streaming.protocol.parts import Turn


class ToolSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A function that the model may call. `parameters` is a JSON schema of type object."""

    name: str
    description: str
    parameters: dict[str, Any]


class GenerationRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One request for an answer. A field that is None is left to the provider, or to its `OPTIONS`.

    `tool_choice` is `auto`, `required`, `none`, or the name of one tool. `extra` is merged into the body last. `origin`
    says who is asked, as the `origin` of a part says who made it. `cache_key` tells conversations apart for a vendor's
    prompt cache, and no body has it unless `uses_cache`.
    """

    turns: tuple[Turn, ...]
    system: str = ""
    model: str | None = None
    max_output_tokens: int | None = None
    temperature: float | None = None
    tools: tuple[ToolSpec, ...] = ()
    tool_choice: Literal["auto", "required", "none"] | str | None = None
    extra: dict[str, Any] = {}
    origin: str | None = None
    cache_key: str | None = None
    uses_cache: bool = False
