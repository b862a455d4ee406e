"""Values as the admin's tables show them. A function returns None for an unknown value, and Django shows a dash."""

from __future__ import annotations

import re
import uuid
from decimal import Decimal
from itertools import groupby
from urllib.parse import urlencode

import msgspec
from django.urls import reverse
from django.utils import numberformat
from django.utils.formats import get_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language_bidi
from django.utils.translation import gettext as _

from streaming.access import redacted_text
from streaming.models import Conversation, Generation, Metered, OwnerKind, Review, Status
from streaming.records import Tried, tries_of

LABELS = dict(Status.choices)
VISITOR_CHARS = 8
"""The characters of a visitor's token that staff see: enough to tell visitors apart."""
MEASURABLE_MS = 50


def status_badge(status: str | None) -> SafeString | None:
    """The label of a status, on a background of its own colour. The colour is never the only sign."""
    if not status:
        return None
    label = LABELS.get(status, status)  # another version of the app may know more statuses
    return format_html('<span class="streaming-status streaming-status-{}">{}</span>', status, label)


def with_second_line(first: object, second: object) -> SafeString:
    """Two values of one cell, the second below the first and quieter."""
    below = format_html('<br><span class="streaming-quiet">{}</span>', second) if second else ""
    return format_html("{}{}", first, below)


def link_to(kind: str, pk: uuid.UUID, text: object) -> SafeString:
    """A link to the admin's page of a conversation, message or generation. `kind` is the model's lower-case name."""
    return format_html('<a href="{}">{}</a>', reverse(f"admin:streaming_{kind}_change", args=[pk]), text)


def title_of(conversation: Conversation) -> str:
    """The title for staff who may read content, or the id of a conversation without one."""
    return redacted_text(conversation.title) or str(conversation.pk)


def conversation_link(conversation: Conversation) -> SafeString:
    """A link with the conversation's title, for staff who may read content."""
    return link_to("conversation", conversation.pk, title_of(conversation))


def owner_name(conversation: Conversation) -> str:
    """The owner as staff search for one: an account's name, `visitor:3f2a91c0`, `code`, or `code:` and a job."""
    if conversation.user is not None:
        return conversation.user.get_username()
    kind, _separator, token = conversation.owner_key.partition(":")
    shown = token[:VISITOR_CHARS] if kind == OwnerKind.VISITOR else token
    return f"{kind}:{shown}" if shown else kind


def person(conversation: Conversation) -> str:
    """The name of the owner for people. Visitors have no account, but each has a sign of its own."""
    name = owner_name(conversation)
    if conversation.user is not None:
        return name
    kind, _separator, token = name.partition(":")
    if kind == OwnerKind.VISITOR:
        return _("visitor %(sign)s") % {"sign": token}
    if kind == OwnerKind.CODE:
        site = _("the site's code")
        return f"{site} ({token})" if token else site
    return kind


def owner_link(conversation: Conversation) -> SafeString:
    """A link to all conversations of the owner."""
    query = urlencode({"q": f"owner:{_quoted(owner_name(conversation))}"})
    address = reverse("admin:streaming_conversation_changelist")
    return format_html('<a href="{}?{}">{}</a>', address, query, person(conversation))


def _quoted(name: str) -> str:
    """The name as the search takes it: one with spaces or quotes is a quoted phrase."""
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"' if re.search(r"[\s'\"]", name) else name


def number(value: float | Decimal, places: int | None = None) -> str:
    """A number as the reader's language writes it: 1,234.5 in English is 1.234,5 in German."""
    exact = value if places is None else Decimal(f"{value:.{places}f}")  # Django's function would cut, not round
    point, comma = get_format("DECIMAL_SEPARATOR"), get_format("THOUSAND_SEPARATOR")
    return numberformat.format(exact, point, grouping=3, thousand_sep=comma, force_grouping=True)


def apart(text: str, mark: str = "\N{FIRST STRONG ISOLATE}") -> str:
    """The text for a line of figures. In Arabic, `1 → 60` would otherwise show as `60 → 1`."""
    return f"{mark}{text}\N{POP DIRECTIONAL ISOLATE}" if get_language_bidi() else text


def duration(milliseconds: float | None) -> str | None:
    """A time as people read it: `340 ms`, `12.5 s`."""
    if milliseconds is None:
        return None
    return f"{milliseconds:.0f} ms" if milliseconds < 1000 else f"{number(milliseconds / 1000, places=1)} s"


def tokens(read: int | None, written: int | None, *, is_estimated: bool = False) -> str | None:
    """Input → output tokens, with `?` for a count that is not known, and `≈` before counts that are estimated."""
    if read is None and written is None:
        return None
    counts = " → ".join("?" if count is None else number(count) for count in (read, written))
    return apart(f"≈ {counts}" if is_estimated else counts, "\N{LEFT-TO-RIGHT ISOLATE}")


def tokens_of(row: Metered) -> str | None:
    """The input and output tokens of a generation or a side call."""
    return tokens(row.input_tokens, row.output_tokens, is_estimated=row.is_usage_estimated)


def one_try(tried: Tried) -> str:
    """One try: who was asked, and what came of it."""
    model = f" {tried.model}" if tried.model else ""
    return f"{tried.provider}{model} ({tried.outcome})"


def tries(generation: Generation) -> str | None:
    """All tries of a generation in their order, without their models. Equal neighbours are one, with their number."""
    shown = [one_try(msgspec.structs.replace(one, model="")) for one in tries_of(generation.tried) or ()]
    counted = ((text, len(list(same))) for text, same in groupby(shown))
    return ", ".join(text if count == 1 else f"{text} ×{count}" for text, count in counted) or None


def money(cost: Decimal | None) -> str | None:
    """A cost with at most the nine decimal places that are stored. SQLite sums up with floats, which have more."""
    return None if cost is None else number(round(cost, 9).normalize())


def speed(generation: Generation) -> str | None:
    """Output tokens per second, from the first delta to the end. None if that was too short to say much."""
    if not (generation.output_tokens and generation.duration_ms):
        return None
    spent = generation.duration_ms - (generation.first_delta_ms or 0)
    return f"{number(generation.output_tokens * 1000 / spent, places=0)}/s" if spent >= MEASURABLE_MS else None


def review_line(review: Review) -> str:
    """A review on one line: the rating, the flag, the labels, and who saved it."""
    words = [
        "★" * review.rating if review.rating else "",
        _("flagged") if review.is_flagged else "",
        *review.label_set,
        review.reviewer.get_username() if review.reviewer else "",
    ]
    return " · ".join(word for word in words if word) or _("reviewed")
