"""One request for an answer, the tools it offers, and the object that the answer must be."""

from __future__ import annotations

from collections.abc import Container
from itertools import count
from typing import Any, Literal

import msgspec

from streaming.protocol.parts import Turn


class ToolSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A function that the model may call. `parameters` is a JSON schema of type object."""

    name: str
    description: str
    parameters: dict[str, Any]


class OutputSpec(msgspec.Struct, frozen=True, kw_only=True):
    """The JSON object that the answer must be. `schema` is its JSON schema, of type object.

    `strict` is the schema for the vendors' own modes: all properties are required, and no others are allowed. It is
    None if they cannot express the type. `is_recursive` is True if the schema refers to itself.
    """

    name: str
    schema: dict[str, Any]
    strict: dict[str, Any] | None = None
    description: str = ""
    is_recursive: bool = False

    def apart_from(self, names: Container[str]) -> OutputSpec:
        """Returns the output under a name that is none of `names`, because it may become a tool beside others."""
        if self.name not in names:
            return self
        others = (f"{self.name[:58]}_{number}" for number in count(2))
        return msgspec.structs.replace(self, name=next(name for name in others if name not in names))


class GenerationRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One request for an answer. A field that is None is left to the provider, or to its `OPTIONS`.

    `tool_choice` is `auto`, `required`, `none`, or the name of one tool. `extra` is merged into the body last. `origin`
    says who is asked, as the `origin` of a part says who made it. `output` is the object that the answer must be; see
    `streaming.protocol.requests.output`. `cache_key` tells conversations apart for a vendor's prompt cache, and no body
    has it unless `uses_cache`.
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
    output: OutputSpec | None = None
