"""Compares what a conversation stores with what a test expects."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from streaming.database import in_database
from streaming.models import Conversation, Message, path_of
from streaming.protocol import TextPart, ToolCall, ToolResult

Line = tuple[Any, ...]
"""A line: `("user", text)`, `("assistant", text)`, `("call", name, arguments)` or `("result", output)`."""


async def transcript_of(key: str) -> list[Line]:
    """Returns the lines of the conversation with this key, oldest first, along the branch that is shown.

    Raises:
        Conversation.DoesNotExist: no conversation has the key.
    """
    return await in_database(_read, key)


async def assert_transcript(key: str, *expected: Line) -> None:
    """Asserts that the conversation with this key has exactly these lines. See `Line` for their forms.

    Raises:
        AssertionError: it has others. The message lists both.
    """
    found = await transcript_of(key)
    if found != list(expected):
        raise AssertionError(f"The conversation {key!r} has\n{_listed(found)}\nand not\n{_listed(expected)}")


def _read(key: str) -> list[Line]:
    conversation = Conversation.objects.get(key=key)
    return [line for message in path_of(conversation) for line in _lines(message)]


def _lines(message: Message) -> list[Line]:
    """Returns the lines of one message in the order of its parts. Parts that are neither text nor calls have none."""
    return [_LINES[type(part)](message, part) for part in message.typed_parts if type(part) in _LINES]


_LINES: dict[type, Callable[[Message, Any], Line]] = {
    TextPart: lambda message, part: (message.role, part.text),
    ToolCall: lambda _, part: ("call", part.name, part.arguments),
    ToolResult: lambda _, part: ("result", part.output),
}


def _listed(lines: Sequence[Line]) -> str:
    return "\n".join(f"  {line!r}" for line in lines) or "  nothing"
