"""The streaming endpoints, in the form that the AI SDK's `useChat` expects. They also work with curl alone."""

from __future__ import annotations

from django.core.exceptions import RequestDataTooBig
from django.db.models import F
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.urls import path

from streaming.access import SessionCheck, open_streams
from streaming.database import in_database
from streaming.errors import BadRequest
from streaming.intake import find_conversation, read_stop, read_submission, wants_html, wants_named_ids
from streaming.models import Generation, Message, Owner, earlier_rows
from streaming.subscription import follow, has_end, subscribe, tag_of, with_named_ids
from streaming.supervisor import current, stop
from streaming.views.cursors import cursor_in
from streaming.views.deletion import delete_conversations
from streaming.views.endpoint import body_of, by_method, endpoint
from streaming.views.listing import list_conversations
from streaming.views.sse import stream_response


@endpoint("POST")
async def chat(request: HttpRequest, owner: Owner) -> HttpResponseBase:
    """Accepts a message and streams its answer. With `?html=1`, the HTML of its texts follows in `data-html` chunks."""
    submission = read_submission(body_of(request))
    open_streams().check(owner.key)
    generation = await current().submit(owner, submission)
    subscription = await follow(generation, html=wants_html(request))
    if wants_named_ids(request):
        subscription = with_named_ids(subscription, generation.pk)
    return stream_response(subscription, SessionCheck(owner, request.session))


@endpoint("GET")
async def resume(request: HttpRequest, owner: Owner, key: str) -> HttpResponseBase:
    """Replays the newest answer, or the one that the cursor names, and follows it.

    The status is 204 if the client has seen everything. It is also 204 for a conversation that does not exist yet,
    because clients ask before they send the first message.
    """
    after, tag = cursor_in(request) or (None, "")
    if tag:
        generation = await in_database(_generation_named, owner, key, tag)
    else:
        generation = await in_database(generation_to_resume, owner, key)
    if generation is None or not (generation.is_active or _has_missed(generation, after)):
        return HttpResponse(status=204)
    open_streams().check(owner.key)
    subscription = await subscribe(generation.pk, after or 0, html=wants_html(request))
    if tag or wants_named_ids(request):
        subscription = with_named_ids(subscription, generation.pk)
    # A client that asks from 0 is a stock client that resumes; it does not reconnect by itself.
    comes_back = bool(after) or "text/event-stream" in request.headers.get("Accept", "")
    return stream_response(subscription, SessionCheck(owner, request.session), comes_back=comes_back)


@endpoint("POST")
async def stop_answer(request: HttpRequest, owner: Owner, key: str) -> HttpResponseBase:
    """Stops the answer that is being written. If the body names an answer, stops only that one."""
    generation = await in_database(_generation_to_stop, owner, key, _named_answer(request))
    return JsonResponse({"status": await stop(generation.pk) if generation else "not_running"})


def _named_answer(request: HttpRequest) -> str | None:
    """Returns the id of the answer that a stop request names, or None. A body that cannot be read names none."""
    try:
        return read_stop(body_of(request))
    except (RequestDataTooBig, BadRequest):
        return None


def _has_missed(generation: Generation, after: int | None) -> bool:
    """True if a client that names its last frame has not seen the end of a settled answer."""
    return after is not None and not has_end(generation, after)


def _generation_named(owner: Owner, key: str, tag: str) -> Generation | None:
    """Returns the generation that a cursor names, whatever else runs in the conversation.

    The keys are compared here, because MariaDB sorts a UUID by its last bytes first.
    """
    known = Generation.objects.owned_by(owner).filter(conversation__key=key)
    named = [pk for pk in known.order_by().values_list("pk", flat=True) if tag_of(pk) == tag]
    return known.filter(pk__in=named).first()


def _newest_generation(owner: Owner, key: str) -> Generation | None:
    """Returns the generation that is running, or else the newest one by the database's clock."""
    known = Generation.objects.owned_by(owner).filter(conversation__key=key).select_related("conversation")
    return known.order_by(F("active_conversation").asc(nulls_last=True), "-started_at").first()


def _generation_to_stop(owner: Owner, key: str, named: str | None) -> Generation | None:
    """Returns the newest generation; None if the request names another answer. A late stop must not end the next one.

    Raises:
        NotFound: the owner has no such conversation.
    """
    newest = _newest_generation(owner, key)
    if newest is None:
        find_conversation(owner, key)
        return None
    return newest if named is None or named == _shown_id(newest.message) else None


def _shown_id(message: Message) -> str:
    """The id by which clients know an answer. `message` is the last of its rows."""
    return [*earlier_rows(message), message][0].public_id


def generation_to_resume(owner: Owner, key: str) -> Generation | None:
    """Returns the newest generation, if it is at the end of the path that is shown.

    A client whose cursor does not name its answer followed the newest one. The cursor means nothing in another answer.
    Returns None for a key that the owner has not used, also if somebody else uses it.
    """
    newest = _newest_generation(owner, key)
    return newest if newest and newest.message_id == newest.conversation.active_leaf_id else None


chat_patterns = [
    path("api/chat", by_method(GET=list_conversations, POST=chat, DELETE=delete_conversations), name="api_chat"),
    path("api/chat/<str:key>/stream", resume, name="api_stream"),
    path("api/chat/<str:key>/stop", stop_answer, name="api_stop"),
]
