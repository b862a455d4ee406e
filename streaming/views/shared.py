"""The page behind a shared link. Whoever has the link may read it, so it needs no session and sets no cookie."""

from __future__ import annotations

import uuid
from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth.decorators import login_not_required
from django.db.models import F
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from streaming.access import redacted, redacted_text, refuse_sync
from streaming.conf import settings
from streaming.database import in_database
from streaming.errors import PUBLIC_MESSAGES, NotFound, RequestError
from streaming.files.addresses import id_of
from streaming.files.kinds import IMAGES
from streaming.models import Attachment, Role, Share
from streaming.protocol import FilePart, Part, readable_parts
from streaming.records import SharedMessage, snapshot_of
from streaming.views.endpoint import PRIVATE, database_refusals, outside_transactions
from streaming.views.files import HEADERS, opened
from streaming.views.shown import NOTES, ShownMessage, ShownPart, shown_parts
from streaming.views.unavailable import unavailable_page

SHARED_HEADERS = {
    "Cache-Control": PRIVATE,
    "Referrer-Policy": "no-referrer",  # the address is the secret
    "X-Robots-Tag": "noindex, nofollow, noarchive",
}
"""The headers of everything behind a shared link: no cache keeps it, no search finds it, no other site learns of it."""


def by_link(view: Any) -> Any:
    """Answers with `view(request, token, **kwargs)`. An unknown, a revoked and an expired link get the same 404."""

    @login_not_required
    @require_safe
    @outside_transactions
    async def guarded(request: HttpRequest, token: str, **kwargs: Any) -> HttpResponseBase:
        try:
            refuse_sync(request)
            if not settings.SHARES:
                raise NotFound(_gone())
            with database_refusals():
                response: HttpResponseBase = await view(request, token, **kwargs)
        except NotFound as missing:
            response = await _missing(request, str(missing))
        except RequestError as refusal:
            response = await sync_to_async(unavailable_page)(request, refusal)
        for name, value in SHARED_HEADERS.items():
            response.headers[name] = value
        return response

    return guarded


def _gone() -> str:
    return gettext("This link does not work, or does not work any more.")


def _found(token: str) -> Share:
    share = Share.objects.behind(token).first()
    if share is None:
        raise NotFound(_gone())
    return share


@by_link
async def shared(request: HttpRequest, token: str) -> HttpResponseBase:
    """Shows the snapshot."""
    share = await in_database(_looked_at if request.method == "GET" else _found, token)
    return await _page(request, share, token)


def _looked_at(token: str) -> Share:
    share = _found(token)
    Share.objects.filter(pk=share.pk).update(opened=F("opened") + 1, opened_at=timezone.now())
    return share


@by_link
async def shared_file(request: HttpRequest, token: str, pk: uuid.UUID) -> HttpResponseBase:
    """Serves a file of the snapshot, if the owner chose to share files."""
    attachment = await in_database(_file_of, token, pk)
    response = await opened(attachment)
    for name, value in HEADERS.items():
        response.headers[name] = value
    return response


def _file_of(token: str, pk: uuid.UUID) -> Attachment:
    share = _found(token)
    entries = snapshot_of(share.messages) or ()
    parts = [part for entry in entries if entry.role == Role.USER for part in _parts(entry)]
    is_shared = share.with_files and pk in {id_of(part) for part in parts if isinstance(part, FilePart)}
    found = Attachment.objects.filter(pk=pk, conversation=share.conversation_id).first() if is_shared else None
    if found is None:
        raise NotFound(gettext("There is no such file."))
    return found


def _parts(entry: SharedMessage) -> tuple[Part, ...]:
    """The parts after the site's redaction, as it is today."""
    return redacted(readable_parts(entry.parts))


@sync_to_async
def _page(request: HttpRequest, share: Share, token: str) -> HttpResponse:
    entries = snapshot_of(share.messages)
    context = {
        "share": share,
        "title": redacted_text(share.title),
        "messages": [_shown(entry, token) for entry in entries or ()],
        "is_readable": entries is not None,
    }
    return render(request, "streaming/shared.html", context)


@sync_to_async
def _missing(request: HttpRequest, reason: str) -> HttpResponse:
    return render(request, "streaming/unavailable.html", {"reason": reason, "is_gone": True}, status=404)


def _shown(entry: SharedMessage, token: str) -> ShownMessage:
    is_answer = entry.role == Role.ASSISTANT
    parts: list[ShownPart] = []
    said: list[Part] = []
    for part in _parts(entry):
        said.append(part)
        if isinstance(part, FilePart):
            parts += [*shown_parts(tuple(said[:-1])), _file(part, token, is_stored=not is_answer)]
            said = []
    parts += shown_parts(tuple(said))
    kind = entry.status if entry.status in NOTES else entry.reason
    error = PUBLIC_MESSAGES.get(entry.error)
    return ShownMessage(
        entry.role,
        parts=tuple(part._replace(is_markdown=is_answer and part.kind == "text") for part in parts),
        created_at=entry.at,
        note=gettext(error) if error else str(NOTES.get(kind, "")),
    )


def _file(part: FilePart, token: str, *, is_stored: bool) -> ShownPart:
    """A file with its address behind the link. What a model calls a file is never loaded from here."""
    pk = id_of(part) if is_stored else None
    url = reverse("streaming:shared_file", args=(token, pk)) if pk else ""
    kind = "image" if pk and part.media_type in IMAGES else "file"
    return ShownPart(kind, url=url, label=part.filename or part.media_type)


shared_patterns = [
    path("shared/<str:token>/", shared, name="shared"),
    path("shared/<str:token>/files/<uuid:pk>", shared_file, name="shared_file"),
]
