"""What a model was sent of a long conversation, as the transcript and the page of a generation tell it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import NamedTuple

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from streaming.access import redacted_text
from streaming.admin import cells
from streaming.context import Sent, sent_of
from streaming.models import Message, Summary


class SentPart(NamedTuple):
    """What one answer's model was sent. `first` is the id of the first message that it was sent word by word.

    `summary` is the text that it was sent before that; empty if there was none, or if an earlier answer shows the same.
    `figures` are the summary's model, tokens and cost.
    """

    words: str
    first: uuid.UUID | None
    summary: str = ""
    figures: tuple[str, ...] = ()


def words_of(sent: Sent) -> str:
    """Returns what was not sent, in words; empty if everything was."""
    if not sent.dropped:
        return ""
    dropped = ngettext("%(count)d older message was not sent", "%(count)d older messages were not sent", sent.dropped)
    told = [
        dropped % {"count": sent.dropped},
        _("a summary was sent instead") if sent.summary else "",
        _("the provider had refused a longer request") if sent.is_retried else "",
        sent.policy,
    ]
    return " · ".join(word for word in told if word)


def sent_parts(messages: Iterable[Message]) -> dict[object, SentPart]:
    """Returns what was sent for each answer that was not made from the whole conversation, by the message's key."""
    answers = ((message.pk, message.generation_if_any) for message in messages)
    sent = {pk: found for pk, answer in answers if answer and (found := sent_of(answer.context)) and found.dropped}
    ids = {one.summary for one in sent.values() if one.summary}
    summaries: dict[uuid.UUID | None, Summary] = {**Summary.objects.in_bulk(ids)} if ids else {}
    shown: dict[object, SentPart] = {}
    for key, one in sent.items():
        row = summaries.pop(one.summary, None)
        figures = _figures(row) if row else ()
        shown[key] = SentPart(words_of(one), one.first, redacted_text(row.text) if row else "", figures)
    return shown


def _figures(summary: Summary) -> tuple[str, ...]:
    used, cost = cells.tokens_of(summary), cells.money(summary.cost)
    known = (
        summary.model or summary.provider,
        _("%(count)s tokens") % {"count": used} if used else "",
        _("cost %(cost)s") % {"cost": cost} if cost else "",
    )
    return tuple(fact for fact in known if fact)
