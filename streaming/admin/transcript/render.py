"""Renders the transcript of a conversation, and that of one message."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from streaming.access import is_redacting, redacted_text
from streaming.admin import cells
from streaming.admin.permissions import May, Staff
from streaming.admin.search import as_uuid
from streaming.admin.transcript.blocks import Block, blocks_of
from streaming.admin.transcript.figures import figures_of
from streaming.admin.transcript.sent import SentPart, sent_parts
from streaming.admin.transcript.versions import Paths, Versions
from streaming.conf import settings
from streaming.files.kinds import IMAGES
from streaming.models import RATINGS, Conversation, Feedback, Generation, Message, Place, Review
from streaming.records import timeline_of

MAX_MESSAGES = 200
"""The most messages in one transcript: a browser scrolls them easily. Older ones are in the list of messages."""


class Entry(NamedTuple):
    """One message. `is_aside` is True if it is on a branch that the owner does not see now."""

    message: Message
    blocks: list[Block]
    generation: Generation | None
    figures: list[str]
    versions: Versions | None
    is_aside: bool
    review: Review | None
    review_line: str
    feedback: Feedback | None
    comment: str
    """What the owner wrote beside the thumb, after the site's redaction."""
    error_detail: str
    """The provider's own words about a failure, after the site's redaction."""
    labels: list[str]
    """The labels that the review form offers: those of the site, and those that the review has."""
    sent: SentPart | None
    """What the model was sent of a long conversation; None if it was sent everything."""


def render_conversation(conversation: Conversation, staff: Staff) -> SafeString:
    """Renders the path that `?at=` selects, or the one that the owner sees. Of a long path, the end or what is near."""
    at = as_uuid(staff.request.GET.get("at", ""))
    paths = Paths(conversation, at)
    window = _window(paths.here, at)
    entries = _entries(window, paths, staff)
    earlier = bool(window) and window[0].pk != paths.here[0].pk
    return _render(entries, staff, conversation=conversation, is_cut=earlier or len(window) < len(paths.here))


def render_message(message: Message, staff: Staff) -> SafeString:
    """Renders one message, like `render_conversation`."""
    loaded = _loaded([message.pk])[message.pk]
    entry = _entry(loaded, staff, sent=sent_parts([loaded]).get(message.pk))
    return _render([entry], staff, conversation=message.conversation)


def _window(path: list[Place], at: uuid.UUID | None) -> list[Place]:
    """The newest messages of a path. If `at` is not among them, those up to some messages after `at`."""
    places = [place for place, message in enumerate(path) if message.pk == at]
    end = (
        min(len(path), places[0] + MAX_MESSAGES // 2) if places and places[0] < len(path) - MAX_MESSAGES else len(path)
    )
    return path[max(0, end - MAX_MESSAGES) : end]


def _entries(window: list[Place], paths: Paths, staff: Staff) -> list[Entry]:
    loaded = _loaded([message.pk for message in window])
    versions, shown = paths.versions(window), [loaded[message.pk] for message in window if message.pk in loaded]
    sent = sent_parts(shown)
    return [
        _entry(one, staff, versions=versions.get(one.pk), is_aside=one.pk not in paths.owners, sent=sent.get(one.pk))
        for one in shown
    ]


def _loaded(keys: list[uuid.UUID]) -> Mapping[Any, Message]:
    """The messages with all that the transcript shows of them. Makes one query."""
    return Message.objects.select_related("generation", "review__reviewer", "feedback").in_bulk(keys)


def _entry(
    message: Message,
    staff: Staff,
    *,
    versions: Versions | None = None,
    is_aside: bool = False,
    sent: SentPart | None = None,
) -> Entry:
    generation = message.generation_if_any
    review, feedback = getattr(message, "review", None), getattr(message, "feedback", None)
    timeline = timeline_of(generation.timeline) if generation else None
    return Entry(
        message=message,
        blocks=blocks_of(message, timeline, reasoning=staff.may(May.READ_REASONING)),
        generation=generation,
        figures=figures_of(generation) if generation else [],
        versions=versions,
        is_aside=is_aside,
        review=review,
        review_line=cells.review_line(review) if review else "",
        feedback=feedback,
        comment=redacted_text(feedback.comment) if feedback else "",
        error_detail=redacted_text(generation.error_detail) if generation else "",
        labels=list(dict.fromkeys([*settings.REVIEW_LABELS, *(review.label_set if review else ())])),
        sent=sent,
    )


def _render(entries: list[Entry], staff: Staff, **context: Any) -> SafeString:
    sees_raw, queue = staff.may(May.SEE_RAW), staff.request.GET.get("queue", "")
    shown = {
        "entries": entries,
        "images": IMAGES,
        "ratings": RATINGS,
        "with_errors": staff.may(May.SEE_ERRORS),
        "with_reasoning": staff.may(May.READ_REASONING),
        "with_raw": sees_raw,
        "with_watch": sees_raw or not is_redacting(),
        "may_review": staff.may(May.REVIEW),
        "may_stop": staff.may(May.STOP),
        "here": staff.request.get_full_path(),
        "queue": queue,
        "kept": f"&{urlencode({'queue': queue})}" if queue else "",
        **context,
    }
    return render_to_string("streaming/admin/transcript.html", shown, request=staff.request)
