"""Walking branches: a client shows another version of a message, and all that came of it."""

from __future__ import annotations

import msgspec
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.urls import path

from streaming.branches import show
from streaming.database import in_database
from streaming.errors import BadRequest
from streaming.models import Owner
from streaming.views.api import body_of, describe, endpoint


class Choice(msgspec.Struct):
    """What is sent; whatever else is in it is not looked at."""

    messageId: str


@endpoint("POST")
async def show_branch(request: HttpRequest, owner: Owner, key: str) -> HttpResponseBase:
    """Show the newest path through a message; the answer is the conversation, as a client loads it."""
    await in_database(show, owner, key, _message_id(body_of(request)))
    return JsonResponse(await in_database(describe, owner, key))


def _message_id(body: bytes) -> str:
    try:
        return msgspec.json.decode(body, type=Choice).messageId
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequest('The body must be a JSON object such as {"messageId": "…"}.') from error


branch_patterns = [path("api/chat/<str:key>/branch", show_branch, name="api_branch")]
