"""The pages about one generation: its raw events, the request that began it, and its replay."""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any

import msgspec
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from streaming.access import redacted
from streaming.admin.as_turns import request_body
from streaming.admin.drawing import WIDTH, drawing_of
from streaming.admin.permissions import May, Staff
from streaming.admin.transcript import pretty
from streaming.admin.unreadable import notices
from streaming.journal import read_frames, replay
from streaming.models import Action, Generation, StaffAccess
from streaming.protocol import ReasoningPart, RefusalPart, TextPart, ToolCall
from streaming.protocol.ui_stream import chunk_of
from streaming.records import timeline_of

if TYPE_CHECKING:
    from django.contrib.admin import AdminSite

MAX_EVENTS = 2000
"""The most events on one page. An answer may have a hundred thousand."""

SPEEDS = (("1", "1×"), ("4", "4×"), ("0", gettext_lazy("at once")))
"""The speeds of a replay and their labels; 0 shows the whole answer at once."""


class Inspection:
    """The pages of one admin site."""

    def __init__(self, site: AdminSite) -> None:
        self._site = site

    def events(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """Shows the events that readers got: from the journal, or made anew from the row once the journal is gone."""
        generation = self._find(request, pk, Action.RAW, May.READ, May.READ_REASONING, May.SEE_RAW)
        frames = read_frames(generation.pk, 0, limit=MAX_EVENTS)
        is_journal = bool(frames) or generation.is_active
        frames = frames if is_journal else replay(generation)
        shown = [chunk_of(frame).decode() for frame in frames[:MAX_EVENTS]]
        context = {
            "events": [(number, _pretty_line(chunk)) for number, chunk in enumerate(shown, 1)],
            "count": max(len(frames), generation.last_seq if is_journal else 0),
            "is_journal": is_journal,
        }
        return self._page(request, "events", _("Raw events"), generation, context)

    def request(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """Shows the request's body, as the rows and the settings make it today."""
        generation = self._find(request, pk, Action.REQUEST, May.READ, May.READ_REASONING, May.SEE_RAW)
        body = json.dumps(request_body(generation), indent=2, ensure_ascii=False)
        unreadable = [*notices(generation, "tried", "context"), *notices(generation.conversation, "tools")]
        return self._page(request, "request", _("Request"), generation, {"body": body, "unreadable": unreadable})

    def replay(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """Shows the timeline, and the answer with its own timing."""
        generation = self._find(request, pk, Action.REPLAY, May.READ)
        parts = redacted(generation.message.typed_parts)
        reads_reasoning = Staff(request).may(May.READ_REASONING)
        names = {part.id: part.name for part in parts if isinstance(part, ToolCall)}
        timeline = timeline_of(generation.timeline) or []
        script = {
            "timeline": timeline,
            "text": "".join(part.text for part in parts if isinstance(part, (TextPart, RefusalPart))),
            "reasoning": "".join(part.text for part in parts if isinstance(part, ReasoningPart))
            if reads_reasoning
            else "",
            "names": names,
            "width": WIDTH,
        }
        drawing = drawing_of(timeline, generation.duration_ms, names)
        shown = {**script, "total": drawing.total}
        context = {"script": shown, "drawing": drawing, "width": WIDTH, "speeds": SPEEDS}
        context["unreadable"] = notices(generation, "timeline")
        return self._page(request, "replay", _("Replay"), generation, context)

    def _find(self, request: HttpRequest, pk: uuid.UUID, action: Action, *needed: May) -> Generation:
        if not Staff(request).may(*needed):
            raise PermissionDenied
        related = Generation.objects.select_related("conversation", "message__parent")
        generation = get_object_or_404(related, pk=pk)
        StaffAccess.objects.record(request.user, action, "generation", pk)
        return generation

    def _page(
        self, request: HttpRequest, name: str, title: str, generation: Generation, context: dict[str, Any]
    ) -> HttpResponse:
        shown = {**self._site.each_context(request), "title": title, "generation": generation, **context}
        return TemplateResponse(request, f"streaming/admin/{name}.html", shown)


def _pretty_line(chunk: str) -> str:
    return pretty(msgspec.json.format(chunk, indent=0))
