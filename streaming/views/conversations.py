"""Conversations as JSON: load one, or show another of its branches."""

from __future__ import annotations

from typing import Any

import msgspec
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.urls import path
from django.utils.translation import gettext as _

from streaming.database import in_database
from streaming.errors import NotFound
from streaming.files.addresses import addressed_messages
from streaming.intake import read_body, select_branch
from streaming.models import (
    Conversation,
    Feedback,
    Generation,
    History,
    Message,
    MessageTree,
    Owner,
    Role,
    contributions,
    parts_of,
)
from streaming.protocol.ui_stream import ui_parts
from streaming.views.endpoint import body_of, endpoint


@endpoint("GET")
async def conversation(request: HttpRequest, owner: Owner, key: str) -> HttpResponseBase:
    """Returns the messages of the path that is shown, without an answer that is being written: the stream has that."""
    return JsonResponse(addressed_messages(await in_database(describe, owner, key)))


class _BranchRequest(msgspec.Struct):
    """The body of the request. Other keys are ignored."""

    messageId: str


@endpoint("POST")
async def show_branch(request: HttpRequest, owner: Owner, key: str) -> HttpResponseBase:
    """Shows the newest path through a message, and returns the conversation as a client loads it."""
    asked = read_body(_BranchRequest, body_of(request), '{"messageId": "…"}')
    await in_database(select_branch, owner, key, asked.messageId)
    return JsonResponse(addressed_messages(await in_database(describe, owner, key)))


def find_conversation(owner: Owner, key: str) -> Conversation:
    """The owner's conversation with that key.

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    found = Conversation.objects.owned_by(owner).filter(key=key).first()
    if found is None:
        raise NotFound(_("There is no such conversation."))
    return found


def describe(owner: Owner, key: str) -> dict[str, Any]:
    """A conversation in the form in which clients load it.

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    found = find_conversation(owner, key)
    history = History.read(found, "feedback")
    tree, grouped = history.tree, contributions(history.path(history.leaf))
    written = [rows for rows in grouped if not _is_being_written(rows[-1])]
    return {
        "id": found.key,
        "active": len(written) < len(grouped),
        "messages": [_ui_message(rows, tree) for rows in written],
    }


def _is_being_written(message: Message) -> bool:
    generation: Generation | None = getattr(message, "generation", None)
    return generation is not None and generation.is_active


def _ui_message(rows: list[Message], tree: MessageTree) -> dict[str, Any]:
    """The rows of one message as a UIMessage.

    Its metadata are those of its newest generation, of its branch, and the owner's feedback.
    """
    first, last = rows[0], rows[-1]
    parts = ui_parts(parts_of(rows), is_persons=first.role == Role.USER)
    shown = {"id": first.public_id, "role": first.role, "parts": parts}
    generation: Generation | None = getattr(last, "generation", None)
    metadata = (generation.metadata if generation else {}) | tree.metadata(first) | _feedback(first)
    return shown | {"metadata": metadata} if metadata else shown


def _feedback(first: Message) -> dict[str, Any]:
    feedback: Feedback | None = getattr(first, "feedback", None)
    return {"feedback": feedback.metadata} if feedback else {}


conversation_patterns = [
    path("api/chat/<str:key>/branch", show_branch, name="api_branch"),
]
