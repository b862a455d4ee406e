"""Branches: an edited message or a regenerated answer has siblings, and one path through them is shown.

An assistant message below another assistant message continues it. It is not a branch.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable
from typing import Any, Generic

import msgspec
from django.utils.translation import gettext as _

from streaming.errors import NotFound
from streaming.models.conversations import Conversation
from streaming.models.messages import Message, Place, PlaceT, Role, path_to


class Branch(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The place of a message among its siblings, which are ordered from the oldest. `index` counts from 0.

    `previous` and `next` are the public ids of the siblings beside it, None at the ends.
    """

    index: int
    count: int
    previous: str | None = None
    next: str | None = None

    @property
    def number(self) -> int:
        """The index for people, who count from 1."""
        return self.index + 1


class MessageTree(Generic[PlaceT]):
    """The tree of all messages of a conversation. `History.tree` makes it of messages that have been read already."""

    def __init__(self, messages: Iterable[PlaceT]) -> None:
        self._by_id: dict[uuid.UUID, PlaceT] = {message.pk: message for message in messages}
        self._replies: dict[uuid.UUID | None, list[PlaceT]] = defaultdict(list)
        for message in sorted(self._by_id.values(), key=lambda one: (one.created_at, one.pk)):
            self._replies[message.parent_id].append(message)

    @staticmethod
    def read(conversation: Conversation) -> MessageTree[Place]:
        """Reads the tree without content, in one query. Instances of the model would cost twice as much."""
        return MessageTree(map(Place._make, conversation.messages.order_by().values_list(*Place._fields)))

    def find(self, message_id: str) -> PlaceT:
        """Returns the message with this public id.

        Raises:
            NotFound: the conversation has no such message.
        """
        for message in self._by_id.values():
            if message.public_id == message_id:
                return message
        raise NotFound(_("There is no such message in this conversation."))

    def newest_leaf(self, message: Message | Place) -> PlaceT:
        """Returns the newest message without replies among `message` and everything below it."""
        waiting, leaves = [self._by_id[message.pk]], []
        while waiting:
            one = waiting.pop()
            replies = self._replies.get(one.pk, [])
            waiting += replies
            leaves += [] if replies else [one]
        return max(leaves, key=lambda leaf: (leaf.created_at, leaf.pk))

    def get(self, pk: uuid.UUID | None) -> PlaceT | None:
        """Returns the message with this primary key; None if the conversation has none."""
        return self._by_id.get(pk) if pk else None

    def path(self, leaf: PlaceT | None) -> list[PlaceT]:
        """Returns the messages from the first to `leaf`."""
        return path_to(leaf, lambda message: self.get(message.parent_id))

    def first_row(self, message: PlaceT) -> PlaceT:
        """Returns the first row of the contribution that `message` belongs to."""
        parent = self.get(message.parent_id)
        while parent and parent.role == message.role == Role.ASSISTANT:
            message, parent = parent, self.get(parent.parent_id)
        return message

    def siblings(self, message: Message | Place) -> list[PlaceT]:
        """Returns `message` and the messages beside it, from the oldest.

        Empty for a message that continues an answer, and for one that was stored after the tree was read.
        """
        parent = self._by_id.get(message.parent_id) if message.parent_id else None
        if message.pk not in self._by_id or (parent and parent.role == message.role == Role.ASSISTANT):
            return []
        return [reply for reply in self._replies[message.parent_id] if reply.role == message.role]

    def branch(self, message: Message | Place) -> Branch | None:
        """Returns the place among the siblings, or None for a message without siblings."""
        ids: list[str] = [one.public_id for one in self.siblings(message)]
        if len(ids) < 2:
            return None
        index = ids.index(message.public_id)
        around = [None, *ids, None]
        return Branch(index=index, count=len(ids), previous=around[index], next=around[index + 2])

    def metadata(self, message: Message | Place) -> dict[str, Any]:
        """Returns the entry for the message's metadata in the UI stream. Values that are None are left out."""
        branch = self.branch(message)
        return {"branch": msgspec.to_builtins(branch)} if branch else {}
