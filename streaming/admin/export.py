"""Whole conversations as a file, from the list of conversations. Each export is logged before it begins."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.db.models import QuerySet
from django.http import HttpRequest, StreamingHttpResponse
from django.utils.translation import gettext_lazy as _

from streaming.access import is_redacting, redacted, redacted_text
from streaming.admin.permissions import May
from streaming.admin.streamed import file_response
from streaming.archive import FORMATS, bundles, redacting
from streaming.models import Action, Conversation, StaffAccess


class Kind(NamedTuple):
    """One format of the export: what the action is called, the file, and what staff must be allowed to see."""

    label: Any
    media_type: str
    suffix: str
    needs: tuple[May, ...]


BASE = (May.READ, May.EXPORT)
KINDS = {
    "jsonl": Kind(
        _("Export as an archive (JSONL)"),
        "application/jsonl",
        "jsonl",
        (*BASE, May.READ_REASONING, May.SEE_RAW, May.SEE_ERRORS),
    ),
    "markdown": Kind(_("Export as Markdown"), "text/markdown; charset=utf-8", "md", (*BASE, May.READ_REASONING)),
    "csv": Kind(_("Export as CSV"), "text/csv; charset=utf-8", "csv", (*BASE, May.SEE_ERRORS)),
}
"""The formats of `streaming.archive.FORMATS`. An archive has all rows, in their stored form."""


def export_response(request: HttpRequest, chosen: QuerySet[Any], kind_name: str) -> StreamingHttpResponse:
    """Streams the chosen conversations. What `STREAMING_REDACT` hides is left out, and the file's name says so."""
    kind = KINDS[kind_name]
    conversations = Conversation.objects.filter(pk__in=chosen.order_by().values("pk"))
    state = " redacted" if is_redacting() else ""
    StaffAccess.objects.record(
        request.user, Action.EXPORT, "conversation", count=conversations.count(), detail=f"{kind_name}{state}"
    )
    found = bundles(conversations)
    shown = redacting(found, text=redacted_text, parts=redacted) if is_redacting() else found
    name = f"conversations{state.replace(' ', '-')}.{kind.suffix}"
    return file_response(request, FORMATS[kind_name](shown), kind.media_type, name)
