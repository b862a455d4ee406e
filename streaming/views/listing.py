"""An owner's conversations: the list as JSON and for the page, changes, export, and the providers to choose from."""

from __future__ import annotations

import datetime
from typing import Any, NamedTuple

from asgiref.sync import sync_to_async
from django.core.paginator import Page, Paginator
from django.db.models import Exists, OuterRef, Q
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.urls import path
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.http import content_disposition_header
from django.utils.text import slugify
from django.utils.translation import gettext_lazy

from streaming.database import in_database
from streaming.errors import BadRequest
from streaming.files.addresses import addressed_messages
from streaming.intake import Changes, find_conversation, read_changes, store_changes
from streaming.models import Conversation, Generation, Message, Owner, iso_time
from streaming.protocol.storable import storable_text
from streaming.providers import offered_providers
from streaming.views.conversations import conversation, describe, is_being_answered
from streaming.views.endpoint import body_of, by_method, endpoint
from streaming.views.export import as_markdown
from streaming.views.stopping import stop_and_delete

LISTED = 40
"""The number of conversations on one page of the list: more than a tall screen shows at once."""
MAX_QUERY_CHARS = 200
# The least age in days of the conversations under a heading, oldest first.
HEADINGS = (
    (30, gettext_lazy("Earlier")),
    (7, gettext_lazy("Previous 30 days")),
    (2, gettext_lazy("Previous 7 days")),
    (1, gettext_lazy("Yesterday")),
    (0, gettext_lazy("Today")),
)


class Group(NamedTuple):
    """Conversations of the list under one heading."""

    heading: str | Promise
    conversations: list[Conversation]


def listed(owner: Owner, query: str = "", page: str | None = None) -> Page[Conversation]:
    """Returns a page of the owner's conversations, pinned ones first, then the newest.

    With a `query`, only those whose title or messages contain it. `is_active` is True on a conversation in which an
    answer is being written.
    """
    active = Generation.objects.filter(active_conversation=OuterRef("pk"))
    owned = Conversation.objects.owned_by(owner).annotate(is_active=Exists(active))
    found = owned.order_by("-pinned", "-updated_at", "-pk")  # the key, because two may be of one moment
    if query := storable_text(query.strip()[:MAX_QUERY_CHARS]):
        said = Message.objects.filter(conversation=OuterRef("pk"), text__icontains=query)
        found = found.filter(Q(title__icontains=query) | Exists(said))
    return Paginator(found.defer("system_prompt", "tools"), LISTED).get_page(page)


def grouped(conversations: Page[Conversation]) -> list[Group]:
    """Returns the conversations under headings: the pinned ones, then by the day of the last change."""
    groups: list[Group] = []
    for one in conversations:
        heading = _heading(one)
        if not groups or groups[-1].heading != heading:
            groups.append(Group(heading, []))
        groups[-1].conversations.append(one)
    return groups


def _heading(one: Conversation) -> str | Promise:
    if one.pinned:
        return gettext_lazy("Pinned")
    age = (_day(timezone.now()) - _day(one.updated_at)).days
    return next((heading for least, heading in HEADINGS if age >= least), HEADINGS[-1][1])


def _day(moment: datetime.datetime) -> datetime.date:
    return timezone.localtime(moment).date() if timezone.is_aware(moment) else moment.date()


@endpoint("GET")
async def list_conversations(request: HttpRequest, owner: Owner) -> HttpResponseBase:
    """Returns a page of the list: `?page=2`, `?q=words`."""
    page = await in_database(_described_page, owner, request.GET.get("q", ""), request.GET.get("page"))
    return JsonResponse(page)


def _described_page(owner: Owner, query: str, number: str | None) -> dict[str, Any]:
    page = listed(owner, query, number)
    following = page.next_page_number() if page.has_next() else None
    entries = [_entry(one, is_active=one.is_active) for one in page]  # type: ignore[attr-defined]  # annotated
    return {"conversations": entries, "nextPage": following}


def _entry(one: Conversation, *, is_active: bool) -> dict[str, Any]:
    return {
        "id": one.key,
        "title": one.title,
        "pinned": one.pinned,
        "active": is_active,
        "createdAt": iso_time(one.created_at),
        "updatedAt": iso_time(one.updated_at),
    }


@endpoint("PATCH")
async def change_conversation(request: HttpRequest, owner: Owner, key: str) -> HttpResponseBase:
    """Changes the title, or pins the conversation, and returns its entry in the list."""
    return JsonResponse(await in_database(_changed, owner, key, read_changes(body_of(request))))


def _changed(owner: Owner, key: str, changes: Changes) -> dict[str, Any]:
    store_changes(owner, key, changes)
    found = find_conversation(owner, key)
    return _entry(found, is_active=is_being_answered(found))


@endpoint("DELETE")
async def delete_conversation(request: HttpRequest, owner: Owner, key: str) -> HttpResponseBase:
    """Deletes the conversation with its messages and files. Stops an answer that is being written in it."""
    await stop_and_delete(owner, key)
    return HttpResponse(status=204)


@endpoint("GET")
async def export(request: HttpRequest, owner: Owner, key: str) -> HttpResponseBase:
    """Returns the path that is shown as a file: `?format=markdown` (the default) or `?format=json`."""
    write = EXPORTS.get(request.GET.get("format", "markdown"))
    if write is None:
        raise BadRequest(f"'format' must be one of: {', '.join(EXPORTS)}.")
    response, name = await sync_to_async(write)(owner, key)  # not in_database: addresses need the request's thread
    response.headers["Content-Disposition"] = str(content_disposition_header(True, name))  # noqa: FBT003
    return response


def _as_json(owner: Owner, key: str) -> tuple[HttpResponse, str]:
    found = find_conversation(owner, key)
    described = {"title": found.title} | addressed_messages(describe(owner, key))
    return JsonResponse(described, json_dumps_params={"indent": 2, "ensure_ascii": False}), f"{_name(found)}.json"


def _as_markdown(owner: Owner, key: str) -> tuple[HttpResponse, str]:
    found = find_conversation(owner, key)
    return HttpResponse(as_markdown(found), content_type="text/markdown; charset=utf-8"), f"{_name(found)}.md"


def _name(one: Conversation) -> str:
    return slugify(one.title, allow_unicode=True)[:60] or "conversation"


EXPORTS = {"markdown": _as_markdown, "json": _as_json}


@endpoint("GET")
async def list_providers(request: HttpRequest, owner: Owner) -> HttpResponseBase:
    """Returns the providers that people may choose from. A message names one as `provider`."""
    offered = [{"id": alias, "label": label} for alias, label in offered_providers().items()]
    return JsonResponse({"providers": offered})


listing_patterns = [
    path("api/chat/<str:key>/export", export, name="api_export"),
    path("api/providers", list_providers, name="api_providers"),
    path(
        "api/chat/<str:key>",
        by_method(GET=conversation, PATCH=change_conversation, DELETE=delete_conversation),
        name="api_conversation",
    ),
]
