"""Rows → turns: the path of a conversation that is shown, in a form that providers accept.

The repair is pure: whatever was stopped, cut or crashed, the turns it gives are a valid conversation.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator

from streaming.models import Conversation, Message
from streaming.protocol.parts import Part, Role, TextPart, ToolCall, ToolResult, Turn

# What a model is told of a call that nobody answered: it may ask again.
NOT_EXECUTED = "This call was not executed."


def path(conversation: Conversation, leaf: Message | None = None) -> list[Message]:
    """The messages from the first to `leaf` (by default the conversation's active leaf), in one query."""
    messages: dict[uuid.UUID | None, Message] = {
        message.pk: message for message in conversation.messages.select_related("generation")
    }
    current = messages.get(leaf.pk if leaf else conversation.active_leaf_id)
    walked: list[Message] = []
    while current is not None:
        walked.append(current)
        current = messages.get(current.parent_id)
    return walked[::-1]


def turns(messages: Iterable[Message]) -> tuple[Turn, ...]:
    """The turns of a path, repaired."""
    given = (Turn(role=_role(message), parts=message.typed_parts) for message in messages)
    return repair(given)


def repair(given: Iterable[Turn]) -> tuple[Turn, ...]:
    """Drop half-written tool calls and empty turns; answer complete calls that nobody answered."""
    return tuple(turn for one in given for turn in _repaired(one) if turn.parts)


def _role(message: Message) -> Role:
    return "assistant" if message.role == "assistant" else "user"


def _repaired(turn: Turn) -> Iterator[Turn]:
    parts = tuple(part for part in turn.parts if not _is_broken(part))
    yield Turn(role=turn.role, parts=parts)
    unanswered = tuple(_unanswered(parts))
    if unanswered:
        yield Turn(role="tool", parts=unanswered)


def _is_broken(part: Part) -> bool:
    match part:
        case ToolCall():
            return not part.is_complete
        case TextPart():
            return not part.text
        case _:
            return False


def _unanswered(parts: tuple[Part, ...]) -> Iterator[ToolResult]:
    answered = {part.call_id for part in parts if isinstance(part, ToolResult)}
    for part in parts:
        if isinstance(part, ToolCall) and not part.is_provider_executed and part.id not in answered:
            yield ToolResult(call_id=part.id, output=NOT_EXECUTED, is_error=True)
