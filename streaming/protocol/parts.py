"""The typed parts of a message: plain values without ids or rows.

The same classes serve the transcript of a running stream, the `parts` column of a stored message and the turns that
a provider is sent. `dump_parts` and `load_parts` convert them to JSON and back; in JSON each part has its `type`.

`raw` is what the provider wants back on the next turn: its own object, or the fields of it that the part does not have
already. Only the dialect that made it reads it. `origin` says who made it, for example `openai-chat api.deepseek.com`.
It is set only beside a `raw` or a `signature`, and is None if nobody told. See `streaming.protocol.requests.origins`.
"""

from __future__ import annotations

from typing import Any, Literal, TypeGuard

import msgspec

Role = Literal["system", "user", "assistant", "tool"]


class TextPart(msgspec.Struct, frozen=True, kw_only=True, tag="text", omit_defaults=True):
    """Markdown as the model wrote it. `citations` are the provider's own objects, in order of arrival."""

    text: str
    citations: tuple[dict[str, Any], ...] = ()
    raw: dict[str, Any] | None = None
    origin: str | None = None


class ReasoningPart(msgspec.Struct, frozen=True, kw_only=True, tag="reasoning", omit_defaults=True):
    """The model's reasoning. `signature` and `raw` go back to the provider unchanged on the next turn.

    `duration_ms` is how long the model thought. It is None if that took less than a second.
    """

    text: str = ""
    signature: str | None = None
    raw: dict[str, Any] | None = None
    origin: str | None = None
    duration_ms: int | None = None


class RefusalPart(msgspec.Struct, frozen=True, kw_only=True, tag="refusal", omit_defaults=True):
    """The model's refusal to answer, in its own words."""

    text: str
    raw: dict[str, Any] | None = None
    origin: str | None = None


class ToolCall(msgspec.Struct, frozen=True, kw_only=True, tag="tool-call", omit_defaults=True):
    """A tool call, with the strict verdict on its arguments.

    `arguments` is set only if `is_complete`: arguments that were cut or repaired are never handed out.
    `error` is one of the codes of `ToolCallEnded.error`. `is_json` is False if the tool takes free text.
    """

    id: str
    name: str
    raw_arguments: str = ""
    arguments: dict[str, Any] | None = None
    is_complete: bool = False
    error: str | None = None
    is_provider_executed: bool = False
    is_json: bool = True
    raw: dict[str, Any] | None = None
    origin: str | None = None


class ToolResult(msgspec.Struct, frozen=True, kw_only=True, tag="tool-result", omit_defaults=True):
    """The result of the call with id `call_id`; `output` is any JSON value.

    `duration_ms` is how long the app's tool took. It is None if that was less than a second.
    """

    call_id: str
    output: Any = None
    is_error: bool = False
    is_provider_executed: bool = False
    raw: dict[str, Any] | None = None
    origin: str | None = None
    duration_ms: int | None = None


class ToolApproval(msgspec.Struct, frozen=True, kw_only=True, tag="tool-approval", omit_defaults=True):
    """The decision about the call with id `call_id`: None while a person is asked. `reason` is that person's."""

    call_id: str
    is_approved: bool | None = None
    reason: str = ""


class FilePart(msgspec.Struct, frozen=True, kw_only=True, tag="file", omit_defaults=True):
    """An image, audio or document: an http(s) or data URL with its media type."""

    media_type: str
    url: str
    filename: str | None = None
    raw: dict[str, Any] | None = None
    origin: str | None = None


class OpaquePart(msgspec.Struct, frozen=True, kw_only=True, tag="opaque", omit_defaults=True):
    """A block that has no class here. It is kept whole, and goes back to its provider on the next turn."""

    raw: dict[str, Any]
    origin: str | None = None


Part = TextPart | ReasoningPart | RefusalPart | ToolCall | ToolResult | ToolApproval | FilePart | OpaquePart


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """One contribution to a conversation, as a provider is sent it."""

    role: Role
    parts: tuple[Part, ...]


ANOTHER_VERSION = "another version"
"""The origin of an opaque part that another version of this package wrote. It goes to no provider."""


def dump_parts(parts: tuple[Part, ...] | list[Part]) -> list[dict[str, Any]]:
    """Returns the parts as dicts that are ready for JSON."""
    return [part.raw if is_of_another_version(part) else msgspec.to_builtins(part) for part in parts]


def load_parts(raw: list[dict[str, Any]]) -> tuple[Part, ...]:
    """Returns the parts that `dump_parts` made `raw` of.

    Raises:
        msgspec.ValidationError: `raw` did not come from `dump_parts`.
    """
    return tuple(msgspec.convert(raw, list[Part]))


def readable_parts(raw: Any) -> tuple[Part, ...]:
    """Returns the parts as `load_parts` does. One that cannot be read is opaque, and `dump_parts` returns it unchanged.

    Processes of two versions may serve the same conversation, for example while a new version is rolled out.
    """
    try:
        return load_parts(raw)
    except msgspec.ValidationError:
        return tuple(_readable(one) for one in (raw if isinstance(raw, list) else [raw]))


def _readable(one: dict[str, Any]) -> Part:
    try:
        return load_parts([one])[0]
    except msgspec.ValidationError:
        return OpaquePart(raw=one, origin=ANOTHER_VERSION)


def is_of_another_version(part: Part) -> TypeGuard[OpaquePart]:
    """True for a part that `readable_parts` could not read."""
    return isinstance(part, OpaquePart) and part.origin == ANOTHER_VERSION


def text_of(parts: tuple[Part, ...] | list[Part]) -> str:
    """Returns the text of all text parts, concatenated."""
    return "".join(part.text for part in parts if isinstance(part, TextPart))
