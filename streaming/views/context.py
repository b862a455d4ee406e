"""The line in a long conversation above which the model is not sent the messages any more."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import NamedTuple

from streaming.context import sent_of
from streaming.models import Conversation, Generation, Message, Summary


class ContextLine(NamedTuple):
    """The line. `summary` is the text that the model is sent in place of the messages above it, if there is one."""

    summary: str = ""


def context_lines(conversation: Conversation, shown: Iterable[Message]) -> dict[uuid.UUID, ContextLine]:
    """Returns the line by the id of the message below it; nothing if the newest answer's model was sent everything.

    The newest answer is the end of the path. It is read if it is not among the rows that are `shown`.
    """
    leaf = next((row for row in shown if row.pk == conversation.active_leaf_id), None)
    if leaf is not None:
        newest = leaf.generation_if_any
    else:
        newest = Generation.objects.filter(message=conversation.active_leaf_id).only("context").first()
    sent = sent_of(newest.context) if newest else None
    if sent is None or sent.first is None:
        return {}
    summary = Summary.objects.filter(pk=sent.summary).values_list("text", flat=True).first() if sent.summary else ""
    return {sent.first: ContextLine(summary or "")}
