"""The typed parts of a message: what a model wrote, as values without ids or rows.

One set of classes serves the transcript of a running stream, the `parts` column of a stored message and the turns
sent to a provider. `dump_parts` and `load_parts` are the way in and out of JSON; each part carries its `type`.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

Role = Literal["system", "user", "assistant", "tool"]


class TextPart(msgspec.Struct, frozen=True, kw_only=True, tag="text", omit_defaults=True):
    """Markdown as the model wrote it. `citations` are the wire's objects, in order of arrival."""

    text: str
    citations: tuple[dict[str, Any], ...] = ()


class ReasoningPart(msgspec.Struct, frozen=True, kw_only=True, tag="reasoning", omit_defaults=True):
    """What the model thought. `signature` and `raw` go back to the provider on the next turn, untouched.

    `raw` is the wire's whole object where the provider wants that back (redacted or encrypted reasoning).
    """

    text: str = ""
    signature: str | None = None
    raw: dict[str, Any] | None = None


class RefusalPart(msgspec.Struct, frozen=True, kw_only=True, tag="refusal", omit_defaults=True):
    """Why the model would not answer, in its words."""

    text: str


class ToolCall(msgspec.Struct, frozen=True, kw_only=True, tag="tool-call", omit_defaults=True):
    """A call the model asked for, with the strict verdict on its arguments.

    `arguments` is set only when `is_complete`: nothing repaired or cut short is ever handed out.
    `error` is one of the codes of `ToolCallEnded.error`. `is_json` is false for free-text tool input.
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


class ToolResult(msgspec.Struct, frozen=True, kw_only=True, tag="tool-result", omit_defaults=True):
    """The answer to the call with id `call_id`; `output` is any JSON value."""

    call_id: str
    output: Any = None
    is_error: bool = False
    is_provider_executed: bool = False


class ToolApproval(msgspec.Struct, frozen=True, kw_only=True, tag="tool-approval", omit_defaults=True):
    """Whether the call with id `call_id` may be executed: None while a person is asked; `reason` is theirs."""

    call_id: str
    is_approved: bool | None = None
    reason: str = ""


class FilePart(msgspec.Struct, frozen=True, kw_only=True, tag="file", omit_defaults=True):
    """An image or document: an http(s) or data URL with its media type."""

    media_type: str
    url: str
    filename: str | None = None


class OpaquePart(msgspec.Struct, frozen=True, kw_only=True, tag="opaque", omit_defaults=True):
    """A block this package has no class for, kept whole so that the next turn can return it."""

    raw: dict[str, Any]


Part = TextPart | ReasoningPart | RefusalPart | ToolCall | ToolResult | ToolApproval | FilePart | OpaquePart


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """One contribution to a conversation, as providers see it."""

    role: Role
    parts: tuple[Part, ...]


def dump_parts(parts: tuple[Part, ...] | list[Part]) -> list[dict[str, Any]]:
    """Parts as JSON-ready dicts."""
    dumped: list[dict[str, Any]] = msgspec.to_builtins(list(parts))
    return dumped


def load_parts(raw: list[dict[str, Any]]) -> tuple[Part, ...]:
    """The inverse of `dump_parts`.

    Raises:
        msgspec.ValidationError: `raw` was not made by `dump_parts`.
    """
    return tuple(msgspec.convert(raw, list[Part]))


def text_of(parts: tuple[Part, ...] | list[Part]) -> str:
    """All text parts, concatenated."""
    return "".join(part.text for part in parts if isinstance(part, TextPart))
