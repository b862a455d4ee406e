"""Rows → turns: the path of a conversation that is shown, in a form that providers accept.

An answer that continued after a client sent a tool's output has several rows, one for each generation. Together they
are one contribution: people see one message.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence

from streaming.models.branches import MessageTree
from streaming.models.conversations import Conversation
from streaming.models.generations import Generation
from streaming.models.messages import Message, PlaceT, path_to
from streaming.protocol import Part, Turn
from streaming.protocol.parts import Role

ASSISTANT = "assistant"


class History:
    """All messages of a conversation, on all branches, each with its generation. They are read in one query."""

    def __init__(self, conversation: Conversation, messages: Iterable[Message] = ()) -> None:
        self.conversation = conversation
        self._by_id: dict[uuid.UUID | None, Message] = {message.pk: message for message in messages}

    @classmethod
    def read(cls, conversation: Conversation, *related: str) -> History:
        """Reads what the database has now. `related` names relations that are read in the same query."""
        return cls(conversation, conversation.messages.select_related("generation", *related).order_by())

    @property
    def tree(self) -> MessageTree[Message]:
        """The branches of the conversation."""
        return MessageTree(self._by_id.values())

    def __len__(self) -> int:
        return len(self._by_id)

    def add(self, message: Message) -> None:
        """Adds a message that was stored after the others had been read."""
        self._by_id[message.pk] = message

    @property
    def leaf(self) -> Message | None:
        """The last message of the path that is shown."""
        return self._by_id.get(self.conversation.active_leaf_id)

    @property
    def active(self) -> list[Generation]:
        """The generations that have not ended, at most one."""
        return [message.generation for message in self._by_id.values() if message.is_being_written]

    def parent_of(self, message: Message) -> Message | None:
        return self._by_id.get(message.parent_id)

    def sent_as(self, client_id: str) -> Message | None:
        """Returns the message that a client sent with this id."""
        return next((one for one in self._by_id.values() if one.client_id == client_id), None)

    def find(self, message_id: str) -> Message | None:
        """Returns the message with this public id."""
        found = self.sent_as(message_id)
        if found is None and _is_uuid(message_id):
            found = self._by_id.get(uuid.UUID(message_id))
        return found

    def newest_answer(self, message: Message) -> Generation | None:
        """Returns the generation that was made last among those that answer `message` directly."""
        replies = (one.generation_if_any for one in self._by_id.values() if one.parent_id == message.pk)
        return max(filter(None, replies), key=lambda answer: answer.created_at, default=None)

    def path(self, leaf: Message | None) -> list[Message]:
        """Returns the messages from the first to `leaf`."""
        return path_to(leaf, self.parent_of)


def _is_uuid(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True


def path_of(conversation: Conversation) -> list[Message]:
    """Returns the messages of the path that is shown. Makes one query."""
    history = History.read(conversation)
    return history.path(history.leaf)


def contributions(messages: Iterable[PlaceT]) -> list[list[PlaceT]]:
    """Groups the rows of a path by contribution. Clients know a contribution by the id of its first row."""
    grouped: list[list[PlaceT]] = []
    for message in messages:
        if grouped and message.role == grouped[-1][-1].role == ASSISTANT:
            grouped[-1].append(message)
        else:
            grouped.append([message])
    return grouped


def asked_provider(rows: Sequence[Message]) -> str:
    """Returns the alias that was asked for a contribution, whose last row has a generation.

    Its continuations stay with the provider that answered in place of another one.
    """
    first, last = rows[0].generation_if_any, rows[-1].generation
    return (first if first and first.provider == last.provider else last).asked_provider


def earlier_rows(message: Message) -> list[Message]:
    """Returns the earlier rows of the contribution that `message` belongs to, oldest first."""
    if message.parent is None or message.parent.role != ASSISTANT:
        return []
    return contributions(History.read(message.conversation).path(message))[-1][:-1]


def parts_of(messages: Iterable[Message]) -> tuple[Part, ...]:
    """Returns the parts of all rows, in order."""
    return tuple(part for message in messages for part in message.typed_parts)


def turns_of(messages: Iterable[Message]) -> tuple[Turn, ...]:
    """Returns the turns of a path, unchanged. Pass them to `repair` before they go to a provider."""
    return tuple(Turn(role=_role(message), parts=message.typed_parts) for message in messages)


def _role(message: Message) -> Role:
    return "assistant" if message.role == ASSISTANT else "user"
