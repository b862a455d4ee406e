"""The owner's thumbs for answers, each with an optional comment: as JSON, and as a form of the chat page."""

from __future__ import annotations

import msgspec
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.urls import path
from django.views.decorators.http import require_POST

from streaming.database import in_database
from streaming.errors import NotFound, RequestError
from streaming.intake import Opinion, checked_opinion, keep_opinion, read_opinion
from streaming.models import Owner
from streaming.views.addresses import message_address
from streaming.views.endpoint import body_of, by_method, endpoint
from streaming.views.pages import SeeOther, for_owner, page_response


@endpoint("PUT")
async def give(request: HttpRequest, owner: Owner, key: str, message_id: str) -> HttpResponseBase:
    """Stores the thumb and the comment in place of older ones, and returns them."""
    opinion = read_opinion(body_of(request))
    await in_database(keep_opinion, owner, key, message_id, opinion)
    return JsonResponse(msgspec.to_builtins(opinion))


@endpoint("DELETE")
async def take_back(request: HttpRequest, owner: Owner, key: str, message_id: str) -> HttpResponseBase:
    """Removes the thumb and the comment, if there are any."""
    await in_database(keep_opinion, owner, key, message_id, None)
    return HttpResponse(status=204)


@require_POST
@for_owner
async def send_feedback(request: HttpRequest, owner: Owner, key: str) -> HttpResponse:
    """Stores or removes a thumb, and scrolls to its answer. The form or its address names the message."""
    message_id = request.POST.get("message") or request.GET.get("message", "")
    try:
        await in_database(keep_opinion, owner, key, message_id, _opinion(request))
    except NotFound as missing:
        raise Http404(str(missing)) from missing
    except RequestError as refusal:
        return await page_response(request, owner, key, refusal=refusal)
    return SeeOther(message_address(key, message_id))


def _opinion(request: HttpRequest) -> Opinion | None:
    """The opinion in the form. None if it takes the thumb back: the button that was pressed has no thumb then."""
    comment = request.POST.get("comment", "").replace("\r\n", "\n")  # a form sends line ends as CRLF
    match request.POST.get("thumb"):
        case "up" | "down" as thumb:
            return checked_opinion(Opinion(thumb=thumb, comment=comment))
    return None


feedback_patterns = [
    path(
        "api/chat/<str:key>/messages/<str:message_id>/feedback",
        by_method(PUT=give, DELETE=take_back),
        name="api_feedback",
    ),
    path("chat/<str:key>/feedback/", send_feedback, name="feedback"),
]
