"""Conversations as JSON: load one, or show another of its branches."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec
from django.db.models import Count, Max, Q
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.urls import path
from django.utils.cache import get_conditional_response
from django.utils.translation import get_language

from streaming.database import in_database
from streaming.errors import BadRequest
from streaming.files.addresses import addressed_messages
from streaming.intake import find_conversation, read_body, select_branch
from streaming.models import (
    ACTIVE,
    Conversation,
    Feedback,
    Generation,
    Message,
    MessageTree,
    Owner,
    Place,
    Role,
    ShownPath,
    parts_of,
)
from streaming.protocol.ui_stream import ui_parts
from streaming.views.endpoint import body_of, endpoint

LIMIT = 50
"""The number of messages that a request gets which names a message and no number."""
MAX_LIMIT = 500


@endpoint("GET")
async def conversation(request: HttpRequest, owner: Owner, key: str) -> HttpResponseBase:
    """Returns the messages of the path that is shown, without an answer that is being written: the stream has that.

    Without parameters these are all messages. `?limit=50` asks for the last ones, `?before=<message id>` for the last
    ones before a message. The response then has `earlier`: the value of `before` for what comes before them, or null.
    """
    before, limit = request.GET.get("before", ""), _limit(request)
    tag = await in_database(_tag, owner, key)
    response: HttpResponseBase | None = get_conditional_response(request, tag)
    if response is None:
        described = await in_database(describe, owner, key, limit=limit, before=before)
        response = JsonResponse(addressed_messages(described))
    response.headers["ETag"] = tag
    return response


def _tag(owner: Owner, key: str) -> str:
    """Returns an ETag of the conversation. It changes with each message, answer's end, choice of version, and feedback.

    The errors of answers are texts in the reader's language, so each language has a tag of its own.
    Two cheap queries show that nothing has changed since a client asked last.
    """
    found = find_conversation(owner, key)
    state = found.messages.order_by().aggregate(
        Count("pk"),
        Max("generation__finished_at"),
        Max("feedback__updated_at"),
        rated=Count("feedback"),
        active=Count("generation", filter=Q(generation__status__in=ACTIVE)),
    )
    told = (found.active_leaf_id, sorted(state.items()), get_language())
    digest = hashlib.blake2b(repr(told).encode(), digest_size=12)
    return f'"{digest.hexdigest()}"'


def _limit(request: HttpRequest) -> int | None:
    """The number of messages that a request asks for. None stands for all of them.

    Raises:
        BadRequest: it is not a possible number.
    """
    given = request.GET.get("limit", "")
    if not given:
        return LIMIT if request.GET.get("before") else None
    if not (given.isascii() and given.isdigit() and len(given) <= 4 and 0 < int(given) <= MAX_LIMIT):
        raise BadRequest(f"'limit' must be a number from 1 to {MAX_LIMIT}.")
    return int(given)


class _BranchRequest(msgspec.Struct):
    """The body of the request. Other keys are ignored."""

    messageId: str


@endpoint("POST")
async def show_branch(request: HttpRequest, owner: Owner, key: str) -> HttpResponseBase:
    """Shows the newest path through a message, and returns the conversation as a client loads it."""
    asked = read_body(_BranchRequest, body_of(request), '{"messageId": "…"}')
    await in_database(select_branch, owner, key, asked.messageId)
    return JsonResponse(addressed_messages(await in_database(describe, owner, key)))


def describe(owner: Owner, key: str, *, limit: int | None = None, before: str = "") -> dict[str, Any]:
    """A conversation in the form in which clients load it: all of it, or the last `limit` messages, before one of them.

    Raises:
        NotFound: there is none, or it is somebody else's; or it does not show the message `before`.
    """
    found = find_conversation(owner, key)
    window = ShownPath(found).newest(limit, "feedback", before=before)
    written = [rows for rows in window.messages if not rows[-1].is_being_written]
    described = {
        "id": found.key,
        "active": is_being_answered(found) if before else len(written) < len(window.messages),
        "messages": [_ui_message(rows, window.tree) for rows in written],
    }
    cursor = window.messages[0][0].public_id if window.earlier else None
    return described if limit is None else described | {"earlier": cursor}


def is_being_answered(conversation: Conversation) -> bool:
    """True while an answer is being written in the conversation."""
    return Generation.objects.filter(active_conversation=conversation).exists()


def _ui_message(rows: list[Message], tree: MessageTree[Place]) -> dict[str, Any]:
    """The rows of one message as a UIMessage.

    Its metadata are those of its newest generation, of its branch, and the owner's feedback.
    """
    first, last = rows[0], rows[-1]
    parts = ui_parts(parts_of(rows), is_persons=first.role == Role.USER)
    shown = {"id": first.public_id, "role": first.role, "parts": parts}
    generation = last.generation_if_any
    metadata = (generation.metadata if generation else {}) | tree.metadata(first) | _feedback(first)
    return shown | {"metadata": metadata} if metadata else shown


def _feedback(first: Message) -> dict[str, Any]:
    feedback: Feedback | None = getattr(first, "feedback", None)
    return {"feedback": feedback.metadata} if feedback else {}


conversation_patterns = [
    path("api/chat/<str:key>/branch", show_branch, name="api_branch"),
]
