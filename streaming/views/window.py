"""The messages that a page shows: the newest of a long conversation, or all of it."""

from __future__ import annotations

from typing import NamedTuple

from streaming.models import Conversation, ShownPath, Window
from streaming.views.context import context_lines
from streaming.views.shown import ShownMessage, shown_message

SHOWN = 50
"""The number of messages with which a page opens, and which it loads at once when one scrolls up to the first."""


class ShownWindow(NamedTuple):
    """The messages that a page shows at first. `earlier` and `first` are those of `streaming.models.Window`."""

    messages: list[ShownMessage]
    earlier: str | None = None
    first: str | None = None


def shown_messages(conversation: Conversation) -> list[ShownMessage]:
    """All messages of the path that is shown. An answer that is being written has the parts that it has so far."""
    return _shown_window(conversation, ShownPath(conversation).newest(None, "feedback")).messages


def newest_messages(conversation: Conversation, *, before: str = "", since: str = "") -> ShownWindow:
    """The newest messages of that path, before one of them, and as many more as it takes to show the message `since`.

    Raises:
        NotFound: the path does not have the message `before`.
    """
    window = ShownPath(conversation).newest(SHOWN, "feedback", before=before, since=since)
    return _shown_window(conversation, window)


def _shown_window(conversation: Conversation, window: Window) -> ShownWindow:
    lines = context_lines(conversation, (row for rows in window.messages for row in rows))
    messages = [
        shown_message(rows)._replace(branch=window.tree.branch(rows[0]), line=lines.get(rows[0].pk))
        for rows in window.messages
    ]
    return ShownWindow(messages, window.earlier, window.first)
