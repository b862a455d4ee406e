"""Windows: consecutive messages of the path that is shown. A long conversation is read and shown piece by piece."""

from __future__ import annotations

from typing import NamedTuple

from django.utils.translation import gettext as _

from streaming.errors import NotFound
from streaming.models.branches import MessageTree
from streaming.models.conversations import Conversation
from streaming.models.history import contributions
from streaming.models.messages import Message, Place

MANY = 500
"""More rows than that are read with all rows of the conversation: databases take no list of any length."""


class Window(NamedTuple):
    """The rows of each message of a window, in order, and the tree that they belong to.

    `earlier` is the id of the message with which the window before this one begins, and `first` is that of the path's
    first message. Both are None if nothing comes before this window.
    """

    messages: list[list[Message]]
    tree: MessageTree[Place]
    earlier: str | None
    first: str | None


class ShownPath:
    """The path of a conversation that is shown, without the content of its messages. One query reads it."""

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation
        self._tree = MessageTree.read(conversation)
        self._groups = contributions(self._tree.path(self._tree.get(conversation.active_leaf_id)))
        self._numbers = {group[0].public_id: number for number, group in enumerate(self._groups)}

    def number(self, message_id: str) -> int:
        """Returns the place of a message on the path, counted from 0.

        Raises:
            NotFound: it is not on the path.
        """
        if message_id not in self._numbers:
            raise NotFound(_("There is no such message in this conversation."))
        return self._numbers[message_id]

    def newest(self, limit: int | None, *related: str, before: str = "", since: str = "") -> Window:
        """Reads the last `limit` messages, or all of them, each with its generation and with the `related` rows.

        With `before`, only those before that message. With `since`, all from that message on, if it is on the path.

        Raises:
            NotFound: `before` is not on the path.
        """
        end = self.number(before) if before else len(self._groups)
        start = 0 if limit is None else max(0, end - limit)
        start = min(start, self._numbers.get(since, start))
        earlier, first = (self._id(max(0, start - (limit or 0))), self._id(0)) if start else (None, None)
        return Window(self._read(start, end, related), self._tree, earlier, first)

    def _id(self, number: int) -> str:
        return self._groups[number][0].public_id

    def _read(self, start: int, end: int, related: tuple[str, ...]) -> list[list[Message]]:
        wanted = [[place.pk for place in group] for group in self._groups[start:end]]
        keys = [pk for group in wanted for pk in group]
        rows = self._conversation.messages.select_related("generation", *related).order_by()
        found = {row.pk: row for row in (rows.filter(pk__in=keys) if len(keys) <= MANY else rows)}
        read = [[found[pk] for pk in group if pk in found] for group in wanted]
        return [group for group in read if group]  # none is missing, unless the conversation was deleted meanwhile
