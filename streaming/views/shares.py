"""An owner's shared links: as JSON, and as a page that works without JavaScript."""

from __future__ import annotations

import uuid
from typing import Any

from asgiref.sync import sync_to_async
from django.core.signing import BadSignature, TimestampSigner
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_http_methods

from streaming.conf import settings
from streaming.database import in_database
from streaming.errors import NotFound, RequestError
from streaming.intake import (
    ShareOptions,
    checked_options,
    find_conversation,
    read_share_options,
    revoke_shares,
    shares_of,
    store_share,
)
from streaming.models import Conversation, Owner
from streaming.models.shares import FORM_SECONDS, new_token
from streaming.views.endpoint import body_of, by_method, endpoint
from streaming.views.pages import for_owner

CHOICES = ("reasoning", "tools", "files")
DAYS = (1, 7, 30, 365)
"""The numbers of days that the page offers."""


def check_sharing() -> None:
    """Checks that the site lets people share.

    Raises:
        NotFound: it does not.
    """
    if not settings.SHARES:
        raise NotFound("This site has no shared links (STREAMING_SHARES).")


@endpoint("GET")
async def list_shares(request: HttpRequest, owner: Owner, key: str) -> HttpResponseBase:
    """Returns the conversation's shared links. They have no address, because the token is not stored."""
    check_sharing()
    return JsonResponse({"shares": [one.described for one in await in_database(shares_of, owner, key)]})


@endpoint("POST")
async def make_share(request: HttpRequest, owner: Owner, key: str) -> HttpResponseBase:
    """Makes a snapshot, and returns it with the address of its link: the only time that anybody can see it."""
    check_sharing()
    stored, token = await in_database(store_share, owner, key, read_share_options(body_of(request)))
    return JsonResponse(stored.described | {"url": link(request, token)}, status=201)


@endpoint("DELETE")
async def revoke_all(request: HttpRequest, owner: Owner, key: str) -> HttpResponseBase:
    """Revokes all links of the conversation. It works also after the site has turned sharing off."""
    await in_database(revoke_shares, owner, key)
    return HttpResponse(status=204)


@endpoint("DELETE")
async def revoke_one(request: HttpRequest, owner: Owner, key: str, share_id: uuid.UUID) -> HttpResponseBase:
    """Revokes one link."""
    await in_database(revoke_shares, owner, key, share_id)
    return HttpResponse(status=204)


def link(request: HttpRequest, token: str) -> str:
    return request.build_absolute_uri(reverse("streaming:shared", args=(token,)))


@require_http_methods(["GET", "HEAD", "POST"])
@for_owner
async def shares_page(request: HttpRequest, owner: Owner, key: str) -> HttpResponse:
    """Shows a conversation's links, makes one, or revokes one."""
    made, refusal = "", ""
    status = 200
    try:
        check_sharing()
        found = await in_database(find_conversation, owner, key)
        if request.method == "POST":
            made = await _changed(request, owner, found)
    except NotFound as missing:
        raise Http404(str(missing)) from missing
    except RequestError as trouble:
        refusal, status = str(trouble), trouble.status
    shares = await in_database(shares_of, owner, key)
    return await _page(request, found, status, {"shares": shares, "made": made, "refusal": refusal})


async def _changed(request: HttpRequest, owner: Owner, found: Conversation) -> str:
    """Does what the form asks for, and returns the address of a new link."""
    key = found.key
    if revoked := request.POST.get("revoke"):
        await in_database(revoke_shares, owner, key, None if revoked == "all" else _as_uuid(revoked))
        return ""
    options = ShareOptions(days=_days(request.POST.get("days", "")), **{name: name in request.POST for name in CHOICES})
    _stored, token = await in_database(store_share, owner, key, checked_options(options), _token(request, found))
    return link(request, token)


def _token(request: HttpRequest, found: Conversation) -> str:
    """Returns the token that the form brings; empty if this site has not made it for the conversation lately."""
    try:
        return _signer(found).unsign(request.POST.get("token", ""), max_age=FORM_SECONDS)
    except BadSignature:
        return ""


def _signer(found: Conversation) -> TimestampSigner:
    """Returns what signs the token in the form of a conversation, so that nobody chooses one that others guess."""
    return TimestampSigner(salt=f"streaming.shares {found.pk}")


def _days(text: str) -> int | None:
    """Returns the number of days in the form, None if it names none, and 0, which is refused, for anything else."""
    if not text:
        return None
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0


def _as_uuid(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError as error:
        raise NotFound(gettext("There is no such shared link.")) from error


@sync_to_async
def _page(request: HttpRequest, found: Conversation, status: int, context: dict[str, Any]) -> HttpResponse:
    offered = [days for days in DAYS if days <= (settings.SHARE_DAYS or days)]
    fixed = {"offered_days": offered, "must_end": settings.SHARE_DAYS, "token": _signer(found).sign(new_token())}
    context = {"conversation": found, **fixed, **context}
    return render(request, "streaming/shares.html", context, status=status)


share_patterns = [
    path(
        "api/chat/<str:key>/shares", by_method(GET=list_shares, POST=make_share, DELETE=revoke_all), name="api_shares"
    ),
    path("api/chat/<str:key>/shares/<uuid:share_id>", revoke_one, name="api_share"),
    path("chat/<str:key>/shares/", shares_page, name="shares"),
]
