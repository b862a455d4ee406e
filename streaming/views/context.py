"""The line in a long conversation above which the model is not sent the messages any more."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import NamedTuple

from streaming.context import sent_of
from streaming.models import Message, Summary


class ContextLine(NamedTuple):
    """The line. `summary` is the text that the model is sent in place of the messages above it, if there is one."""

    summary: str = ""


def context_lines(path: Iterable[Message]) -> dict[uuid.UUID, ContextLine]:
    """Returns the line by the id of the message below it; nothing if the newest answer's model was sent everything."""
    generations = (getattr(row, "generation", None) for row in reversed(list(path)))
    newest = next((one for one in generations if one is not None), None)
    sent = sent_of(newest.context) if newest else None
    if sent is None or not sent.first:
        return {}
    summary = Summary.objects.filter(pk=sent.summary).values_list("text", flat=True).first() if sent.summary else ""
    return {sent.first: ContextLine(summary or "")}
