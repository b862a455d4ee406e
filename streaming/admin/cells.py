"""Values as the admin's tables show them. A function returns None for an unknown value, and Django shows a dash."""

from __future__ import annotations

import uuid

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from streaming.models import Conversation, Generation, Status

LABELS = dict(Status.choices)


def status_badge(status: str | None) -> SafeString | None:
    """The label of a status, on a background of its own colour. The colour is never the only sign."""
    if not status:
        return None
    return format_html(
        '<span class="streaming-status streaming-status-{}">{}</span>', status, LABELS.get(Status(status), status)
    )


def link_to(kind: str, pk: uuid.UUID, text: object) -> SafeString:
    """A link to the admin's page of a conversation, message or generation. `kind` is the model's lower-case name."""
    return format_html('<a href="{}">{}</a>', reverse(f"admin:streaming_{kind}_change", args=[pk]), text)


def conversation_link(conversation: Conversation) -> SafeString:
    """A link with the conversation's title, for staff who may read content."""
    return link_to("conversation", conversation.pk, conversation.title or conversation.pk)


def person(conversation: Conversation) -> str:
    """The name of the owner. A visitor has no account, and the site's own code is nobody."""
    if conversation.user is not None:
        return conversation.user.get_username()
    return {"visitor": _("a visitor")}.get(conversation.owner_key.partition(":")[0], _("nobody"))


def seconds(milliseconds: int | None) -> str | None:
    return None if milliseconds is None else f"{milliseconds / 1000:.1f} s"


def milliseconds(value: int | None) -> str | None:
    return None if value is None else f"{value:,} ms"


def tokens(read: int | None, written: int | None, *, is_estimated: bool = False) -> str | None:
    """Input → output tokens, with `?` for a count that is not known, and `≈` before counts that are estimated."""
    if read is None and written is None:
        return None
    return ("≈ " if is_estimated else "") + " → ".join(
        "?" if count is None else f"{count:,}" for count in (read, written)
    )


def tokens_of(generation: Generation) -> str | None:
    """The input and output tokens of a generation."""
    counts = generation.input_tokens, generation.output_tokens
    return tokens(*counts, is_estimated=generation.is_usage_estimated)


def speed(generation: Generation) -> str | None:
    """Output tokens per second, measured from the first delta to the end."""
    if not (generation.output_tokens and generation.duration_ms):
        return None
    spent = generation.duration_ms - (generation.first_delta_ms or 0)
    return f"{generation.output_tokens * 1000 / spent:.0f}/s" if spent > 0 else None
