"""Rows → turns: the path of a conversation that is shown, in a form that providers accept.

An answer that continued after a client sent a tool's output has several rows, one for each generation. Together they
are one contribution: people see one message.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from streaming.models.conversations import Conversation
from streaming.models.messages import Message
from streaming.protocol import Part, Turn
from streaming.protocol.parts import Role

ASSISTANT = "assistant"


def path_of(conversation: Conversation, leaf: Message | None = None) -> list[Message]:
    """Returns the messages from the first to `leaf`, by default the conversation's active leaf. Makes one query."""
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
    """Groups the rows of a path by contribution. Clients know a contribution by the id of its first row."""
    grouped: list[list[Message]] = []
    for message in messages:
        if grouped and message.role == grouped[-1][-1].role == ASSISTANT:
            grouped[-1].append(message)
        else:
            grouped.append([message])
    return grouped


def earlier_rows(message: Message) -> list[Message]:
    """Returns the earlier rows of the contribution that `message` belongs to, oldest first."""
    if message.parent is None or message.parent.role != ASSISTANT:
        return []
    return contributions(path_of(message.conversation, message))[-1][:-1]


def parts_of(messages: Iterable[Message]) -> tuple[Part, ...]:
    """Returns the parts of all rows, in order."""
    return tuple(part for message in messages for part in message.typed_parts)


def turns_of(messages: Iterable[Message]) -> tuple[Turn, ...]:
    """Returns the turns of a path, unchanged. Pass them to `repair` before they go to a provider."""
    return tuple(Turn(role=_role(message), parts=message.typed_parts) for message in messages)


def _role(message: Message) -> Role:
    return "assistant" if message.role == ASSISTANT else "user"
