"""The chat pages: a list of conversations, and beside it one conversation. They work without JavaScript."""

from __future__ import annotations

import functools
import uuid
from collections.abc import Callable, Coroutine
from typing import Any

import msgspec
from asgiref.sync import sync_to_async
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from streaming.access import owner_of, refuse_sync, remember
from streaming.conf import settings
from streaming.database import in_database
from streaming.errors import LoginRequired, NotFound, RequestError
from streaming.intake import Changes, checked_changes, select_branch, store_changes, submission_of
from streaming.models import Conversation, Owner
from streaming.supervisor import current, stop_all
from streaming.views.addresses import message_address, page_address
from streaming.views.conversations import is_being_answered
from streaming.views.endpoint import database_refusals, outside_transactions
from streaming.views.files import sent_files
from streaming.views.listing import grouped, listed
from streaming.views.stopping import stop_and_delete
from streaming.views.unavailable import unavailable_page

DECISION = "decision "
"""The prefix of a field that approves or refuses a tool call. The call's id follows."""

REASON = "reason "
"""The prefix of a field with the person's reason for such a decision."""

THEME_COOKIE = "streaming_theme"
"""The cookie in which chat.js keeps the choice of colours (`static/streaming/chat/theme.js`)."""
THEMES = ("light", "dark")

OwnersView = Callable[..., Coroutine[Any, Any, HttpResponse]]


class SeeOther(HttpResponseRedirect):
    """The response to a form. The browser then gets the page, and a reload does not send the form again."""

    status_code = 303


def for_owner(view: OwnersView) -> OwnersView:
    """Passes the owner to the view. Redirects visitors who must sign in to the login page, and from there back.

    Django's `LoginRequiredMiddleware` does not decide here, as for endpoints: the site may let visitors chat.

    If the database cannot answer, a page says so.

    The views are exempt from ATOMIC_REQUESTS, because Django allows it for no async view. They open transactions
    themselves.
    """

    @functools.wraps(view)
    async def wrapped(request: HttpRequest, key: str = "") -> HttpResponse:
        if "\x00" in key:  # PostgreSQL would refuse the question
            raise Http404(gettext("There is no such conversation."))
        current().ensure_sweeping()
        try:
            with database_refusals():
                owner = await owner_of(request, begins=True)
                response = await view(request, owner, key)
        except LoginRequired:
            return redirect_to_login(page_address(key))
        except RequestError as refusal:
            return await sync_to_async(unavailable_page)(request, refusal)
        if response.status_code < 400:
            remember(request, owner)
        return response

    return login_not_required(never_cache(outside_transactions(wrapped)))


@require_safe
@for_owner
async def conversation_list(request: HttpRequest, owner: Owner, key: str) -> HttpResponse:
    """Shows the list and the composer of a new conversation."""
    return await page_response(request, owner)


@require_safe
@for_owner
async def conversation(request: HttpRequest, owner: Owner, key: str) -> HttpResponse:
    """Shows the list and one conversation."""
    return await page_response(request, owner, key)


@require_POST
@for_owner
async def send(request: HttpRequest, owner: Owner, key: str) -> HttpResponse:
    """Starts an answer. If the message is refused, the page shows the reason and keeps the message in the composer."""
    data = _request_data(request, key)
    try:
        refuse_sync(request)
        submission = submission_of(data)
        files = (*submission.files, *await sync_to_async(sent_files)(request))
        await current().submit(owner, msgspec.structs.replace(submission, files=files))
    except RequestError as refusal:
        edited = request.POST.get("edited", "")
        return await page_response(request, owner, key, draft=data.get("prompt", ""), edited=edited, refusal=refusal)
    return SeeOther(page_address(key))


@require_POST
@for_owner
async def show_branch(request: HttpRequest, owner: Owner, key: str) -> HttpResponse:
    """Shows another version of a message and scrolls to it."""
    message_id = request.POST.get("branch", "")
    try:
        await in_database(select_branch, owner, key, message_id)
    except NotFound as missing:
        raise Http404(str(missing)) from missing
    except RequestError as refusal:
        return await page_response(request, owner, key, draft=request.POST.get("prompt", ""), refusal=refusal)
    return SeeOther(message_address(key, message_id))


@require_POST
@for_owner
async def change_conversation(request: HttpRequest, owner: Owner, key: str) -> HttpResponse:
    """Gives a conversation another title, pins or unpins it, or deletes it."""
    wish = request.POST.get("change", "")
    try:
        if wish == "delete":
            await stop_and_delete(owner, key)
            return SeeOther(page_address(""))
        await in_database(store_changes, owner, key, checked_changes(_changes(wish, request.POST.get("title", ""))))
    except NotFound as missing:
        raise Http404(str(missing)) from missing
    except RequestError as refusal:
        return await page_response(request, owner, key, refusal=refusal)
    return SeeOther(page_address(key))


def _changes(wish: str, title: str) -> Changes:
    return Changes(pinned=wish == "pin") if wish in ("pin", "unpin") else Changes(title=title)


@require_POST
@for_owner
async def stop(request: HttpRequest, owner: Owner, key: str) -> HttpResponse:
    """Stops the answer that is being written, if there is one."""
    await stop_all(owner, key)
    return SeeOther(page_address(key))


def _request_data(request: HttpRequest, key: str) -> dict[str, Any]:
    """The form as the request object that the JSON endpoint takes."""
    chosen = {"id": key, "provider": request.POST.get("provider")}
    if answer := request.POST.get("regenerate"):
        return chosen | {"trigger": "regenerate-message", "messageId": answer}
    if answer := request.POST.get("decide"):
        return {"id": key, "messages": [{"id": answer, "role": "assistant", "parts": _decisions(request)}]}
    replaced = request.POST.get("edited")
    kept = [{"url": url} for url in request.POST.getlist("kept")]
    return chosen | {
        "prompt": _prompt(request),
        "files": kept,
        "clientId": request.POST.get("client_id"),
        "messageId": replaced,
    }


def _prompt(request: HttpRequest) -> str:
    """The message: that of a button (Continue, a suggestion), or what was typed."""
    if "continue" in request.POST:
        return gettext("Continue.")
    # A form sends line ends as CRLF. A message has them as they were typed.
    return (request.POST.get("suggestion") or request.POST.get("prompt", "")).replace("\r\n", "\n")


def _decisions(request: HttpRequest) -> list[dict[str, Any]]:
    """The person's decision about each tool call, in the form of tool parts."""
    chosen = ((name.removeprefix(DECISION), value) for name, value in request.POST.items() if name.startswith(DECISION))
    return [
        {
            "toolCallId": call_id,
            "state": "approval-responded",
            "approval": {"approved": value == "allow", "reason": request.POST.get(REASON + call_id, "").strip()},
        }
        for call_id, value in chosen
    ]


@sync_to_async
def page_response(
    request: HttpRequest,
    owner: Owner,
    key: str = "",
    *,
    draft: str = "",
    edited: str = "",
    refusal: RequestError | None = None,
) -> HttpResponse:
    """Renders the page of conversation `key`, or of a new conversation if `key` is empty.

    `draft` is the text of a message that was refused, and `edited` is the id of the message that it was meant to
    replace.

    Raises:
        Http404: there is no such conversation. After a refusal this is allowed: the message may have been its first.
    """
    owned = Conversation.objects.owned_by(owner)
    opened = owned.filter(key=key).first() if key else None
    if key and opened is None and refusal is None:
        raise Http404(gettext("There is no such conversation."))
    query = request.GET.get("q", "")
    page = listed(owner, query, request.GET.get("page"))
    context: dict[str, Any] = {
        "conversation": opened,
        "conversations": page,
        "groups": grouped(page),
        "shares": settings.SHARES,
        "titles": settings.TITLES,
        "theme": theme if (theme := request.COOKIES.get(THEME_COOKIE)) in THEMES else "",
        "query": query,
        "options": request.GET.get("options", ""),
        "is_active": opened is not None and is_being_answered(opened),
        "key": key or uuid.uuid4().hex,
        "draft": draft,
        "edited": edited,
        "refusal": str(refusal) if refusal else "",
    }
    response = render(request, "streaming/conversation.html", context, status=refusal.status if refusal else 200)
    if refusal and refusal.retry_after is not None:
        response.headers["Retry-After"] = str(refusal.retry_after)
    return response


page_patterns = [
    path("", conversation_list, name="conversation_list"),
    path("chat/<str:key>/", conversation, name="conversation"),
    path("chat/<str:key>/send/", send, name="send"),
    path("chat/<str:key>/change/", change_conversation, name="change"),
    path("chat/<str:key>/stop/", stop, name="stop"),
    path("chat/<str:key>/branch/", show_branch, name="branch"),
]
