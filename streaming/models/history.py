"""Rows → turns: the path of a conversation that is shown, in a form that providers accept.

An answer that went on after a client gave a tool's output is several rows, each a generation's, and one contribution
for people. The repair is pure: whatever was stopped, cut or crashed, the turns it gives are a valid conversation.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Sequence

from streaming.models.conversations import Conversation
from streaming.models.messages import Message
from streaming.protocol.parts import Part, Role, TextPart, ToolApproval, ToolCall, ToolResult, Turn

ASSISTANT = "assistant"
# What a model is told of a call that has no result: perhaps its process died while it was executed.
NOT_EXECUTED = "There is no result of this call; it may have had its effect."


def path_of(conversation: Conversation, leaf: Message | None = None) -> list[Message]:
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


def contributions(messages: Iterable[Message]) -> list[list[Message]]:
    """The rows of a path, grouped: those of one answer are one contribution, known by the id of its first."""
    grouped: list[list[Message]] = []
    for message in messages:
        if grouped and message.role == grouped[-1][-1].role == ASSISTANT:
            grouped[-1].append(message)
        else:
            grouped.append([message])
    return grouped


def earlier_rows(message: Message) -> list[Message]:
    """The rows of the same contribution before `message`, oldest first."""
    if message.parent is None or message.parent.role != ASSISTANT:
        return []
    return contributions(path_of(message.conversation, message))[-1][:-1]


def parts_of(messages: Iterable[Message]) -> tuple[Part, ...]:
    """The parts of all rows, in order."""
    return tuple(part for message in messages for part in message.typed_parts)


def turns_of(messages: Iterable[Message]) -> tuple[Turn, ...]:
    """The turns of a path, as they are: `repair` them before a provider is sent them."""
    return tuple(Turn(role=_role(message), parts=message.typed_parts) for message in messages)


def repair(given: Sequence[Turn]) -> tuple[Turn, ...]:
    """Drop half-written tool calls, approvals and empty turns; see that each complete call has one result."""
    answered = {part.call_id for turn in given for part in turn.parts if isinstance(part, ToolResult)}
    called = {part.id for turn in given for part in turn.parts if isinstance(part, ToolCall) and part.is_complete}
    return tuple(turn for one in given for turn in _repaired(one, answered, called) if turn.parts)


def _role(message: Message) -> Role:
    return "assistant" if message.role == ASSISTANT else "user"


def _repaired(turn: Turn, answered: set[str], unanswered_yet: set[str]) -> Iterator[Turn]:
    parts = tuple(_fit(turn.parts, unanswered_yet))
    yield Turn(role=turn.role, parts=parts)
    unanswered = tuple(_unanswered(parts, answered))
    if unanswered:
        yield Turn(role="tool", parts=unanswered)


def _fit(parts: Iterable[Part], unanswered_yet: set[str]) -> Iterator[Part]:
    """Without what providers refuse: of results, those of no call and second ones."""
    for part in parts:
        if isinstance(part, ToolResult) and not part.is_provider_executed:
            if part.call_id not in unanswered_yet:
                continue
            unanswered_yet.discard(part.call_id)
        if not _is_unfit(part):
            yield part


def _is_unfit(part: Part) -> bool:
    match part:
        case ToolCall():
            return not part.is_complete
        case TextPart():
            return not part.text
        case _:
            return isinstance(part, ToolApproval)


def _unanswered(parts: tuple[Part, ...], answered: set[str]) -> Iterator[ToolResult]:
    for part in parts:
        if isinstance(part, ToolCall) and not part.is_provider_executed and part.id not in answered:
            yield ToolResult(call_id=part.id, output=NOT_EXECUTED, is_error=True)
