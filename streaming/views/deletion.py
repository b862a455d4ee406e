"""Deletes all conversations of an owner: by a request for programs, and by a form of the chat page."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.urls import path
from django.views.decorators.http import require_POST

from streaming.archive import delete_conversations as delete_stored
from streaming.database import in_steps
from streaming.errors import BadRequest, RequestError
from streaming.models import Owner
from streaming.supervisor import stop_all
from streaming.views.addresses import page_address
from streaming.views.endpoint import endpoint
from streaming.views.pages import SeeOther, for_owner, page_response

CONFIRMED = "all"


@endpoint("DELETE")
async def delete_conversations(request: HttpRequest, owner: Owner) -> HttpResponseBase:
    """Deletes all conversations of the owner, if the request says `?confirm=all`."""
    _check_confirmed(request.GET.get("confirm"))
    return JsonResponse({"deleted": await _delete_everything(owner)})


@require_POST
@for_owner
async def delete_all(request: HttpRequest, owner: Owner, key: str) -> HttpResponse:
    """Deletes all conversations of the owner, and shows the page of a new one."""
    try:
        _check_confirmed(request.POST.get("confirm"))
        await _delete_everything(owner)
    except RequestError as refusal:
        return await page_response(request, owner, key, refusal=refusal)
    return SeeOther(page_address(""))


def _check_confirmed(given: str | None) -> None:
    """Checks that the request confirms the deletion, so that a request with a forgotten id deletes nothing.

    Raises:
        BadRequest: the request does not confirm it.
    """
    if given != CONFIRMED:
        raise BadRequest("This deletes all your conversations. To confirm it, send confirm=all.")


async def _delete_everything(owner: Owner) -> int:
    """Stops what is being written, deletes all conversations and files, and returns the number of conversations."""
    await stop_all(owner)
    return await in_steps(delete_stored(owner))


deletion_patterns = [path("delete-conversations/", delete_all, name="delete_all")]
