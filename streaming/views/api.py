"""The JSON and streaming endpoints, as the AI SDK's `useChat` expects them; usable with nothing but curl."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import F
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotAllowed, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from streaming.access import SessionCheck, open_streams, owner_of, refuse_cross_site, refuse_sync
from streaming.database import in_database
from streaming.errors import BadRequest, NotFound, Overloaded, RequestError, TooLarge
from streaming.files.addresses import addressed_messages
from streaming.models import (
    Conversation,
    Generation,
    Message,
    MessageTree,
    Owner,
    contributions,
    earlier_rows,
    parts_of,
    path_of,
)
from streaming.protocol.ui_stream import ui_parts
from streaming.submission import read_stop, read_submission
from streaming.subscription import follow, has_end, subscribe
from streaming.supervisor import current, stop
from streaming.views.sse import stream_response

logger = logging.getLogger(__name__)

View = Callable[..., Coroutine[Any, Any, HttpResponseBase]]


def endpoint(method: str) -> Callable[[View], View]:
    """Give a view its owner, and turn every refusal into a short text with the right status.

    Exempt from CSRF tokens, so that a stock client needs none: `refuse_cross_site` stands in their place.
    """

    def decorate(view: View) -> View:
        @csrf_exempt
        @transaction.non_atomic_requests
        @functools.wraps(view)
        async def guarded(request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
            if request.method != method:
                return HttpResponseNotAllowed([method])
            try:
                return await _admit(view, request, kwargs)
            except RequestError as error:
                return HttpResponse(str(error), status=error.status, content_type="text/plain; charset=utf-8")

        return guarded

    return decorate


async def _admit(view: View, request: HttpRequest, kwargs: dict[str, Any]) -> HttpResponseBase:
    refuse_sync(request)
    refuse_cross_site(request)
    if "\x00" in kwargs.get("key", ""):
        raise NotFound("There is nothing here.")
    current().keep_house()
    try:
        owner = await owner_of(request, begins=request.method == "POST")
        return await view(request, owner, **kwargs)
    except (OperationalError, InterfaceError) as trouble:
        logger.exception("A request met a database that is away.")
        raise Overloaded("The site's database is away. Try again in a moment.") from trouble


@endpoint("POST")
async def chat(request: HttpRequest, owner: Owner) -> HttpResponseBase:
    """Take a message and stream its answer."""
    submission = read_submission(body_of(request))
    open_streams().check(owner.key)
    generation = await current().submit(owner, submission)
    return stream_response(await follow(generation), SessionCheck(owner, request.session))


@endpoint("GET")
async def resume(request: HttpRequest, owner: Owner, key: str) -> HttpResponseBase:
    """Replay the newest answer and follow it; 204 when there is nothing that the client has not seen.

    So there is for a conversation that does not exist yet: clients ask for each new one, too.
    """
    generation = await in_database(_generation_to_resume, owner, key)
    after = _cursor(request)
    if generation is None or not (generation.is_active or _has_missed(generation, after)):
        return HttpResponse(status=204)
    open_streams().check(owner.key)
    subscription = await subscribe(generation.pk, after or 0)
    # Who asks from 0 is a stock client that resumes, and does not come back by itself.
    comes_back = bool(after) or "text/event-stream" in request.headers.get("Accept", "")
    return stream_response(subscription, SessionCheck(owner, request.session), comes_back=comes_back)


@endpoint("POST")
async def stop_answer(request: HttpRequest, owner: Owner, key: str) -> HttpResponseBase:
    """Stop what is being written in this conversation, whoever writes it; if an answer is named, then only that one."""
    generation = await in_database(_generation_to_stop, owner, key, _named_answer(request))
    return JsonResponse({"status": await stop(generation.pk) if generation else "not_running"})


@endpoint("GET")
async def conversation(request: HttpRequest, owner: Owner, key: str) -> HttpResponseBase:
    """The messages of the shown path. One that is still being written is left to the stream."""
    return JsonResponse(addressed_messages(await in_database(describe, owner, key)))


def body_of(request: HttpRequest) -> bytes:
    try:
        return request.body
    except RequestDataTooBig as error:
        raise TooLarge(
            "The request is larger than this site accepts (DATA_UPLOAD_MAX_MEMORY_SIZE). "
            "Send only the last message, and send files to api/files first."
        ) from error


def _named_answer(request: HttpRequest) -> str | None:
    """The answer that a Stop is for, if it names one: it is not refused for what else may be in its body."""
    try:
        return read_stop(body_of(request))
    except (TooLarge, BadRequest):
        return None


def _cursor(request: HttpRequest) -> int | None:
    """The last frame the client has, from `Last-Event-ID` or `?after=`; None when it names none.

    The header is the newer one: an EventSource comes back to the address it was opened with.

    Raises:
        BadRequest: it is not a number that a log could hold.
    """
    given = request.headers.get("Last-Event-ID") or request.GET.get("after") or ""
    if not given:
        return None
    if not (given.isascii() and given.isdigit() and len(given) <= 10):
        raise BadRequest("The cursor must be the number of the last event received.")
    return int(given)


def _has_missed(generation: Generation, after: int | None) -> bool:
    """Whether a client that says where it was has not seen the end of a settled answer."""
    return after is not None and not has_end(generation, after)


def find_conversation(owner: Owner, key: str) -> Conversation:
    """The owner's conversation of that key.

    Raises:
        NotFound: there is none, or it is somebody else's.
    """
    found = Conversation.objects.owned_by(owner).filter(key=key).first()
    if found is None:
        raise NotFound("There is no such conversation.")
    return found


def _newest_generation(owner: Owner, key: str) -> Generation | None:
    """The one that is being written, else the last that was; by the database's clock, not those of processes."""
    known = Generation.objects.owned_by(owner).filter(conversation__key=key).select_related("conversation")
    return known.order_by(F("active_conversation").asc(nulls_last=True), "-started_at").first()


def _generation_to_stop(owner: Owner, key: str, named: str | None) -> Generation | None:
    """The newest; None if another answer is named: a Stop that comes late must not end the one after it.

    Raises:
        NotFound: as `find_conversation`.
    """
    newest = _newest_generation(owner, key)
    if newest is None:
        find_conversation(owner, key)
        return None
    return newest if named is None or named == _shown_id(newest.message) else None


def _shown_id(message: Message) -> str:
    """The id by which clients know the answer that `message` is a row of."""
    return [*earlier_rows(message), message][0].public_id


def _generation_to_resume(owner: Owner, key: str) -> Generation | None:
    """The same, if it is at the end of the shown path; None also for a key that nobody has used yet.

    A client that comes back was following the newest: no other answer's frames go by the number it has.

    Raises:
        NotFound: only somebody else has a conversation of that key.
    """
    newest = _newest_generation(owner, key)
    if newest is None and Conversation.objects.filter(key=key).exists():
        find_conversation(owner, key)
    return newest if newest and newest.message_id == newest.conversation.active_leaf_id else None


def describe(owner: Owner, key: str) -> dict[str, Any]:
    """A conversation as clients load it.

    Raises:
        NotFound: as `find_conversation`.
    """
    found = find_conversation(owner, key)
    tree = MessageTree(found)
    grouped = contributions(path_of(found))
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
    """One contribution. Its metadata is that of its newest generation, and where its first row stands."""
    first, last = rows[0], rows[-1]
    shown = {"id": first.public_id, "role": first.role, "parts": ui_parts(parts_of(rows))}
    generation: Generation | None = getattr(last, "generation", None)
    metadata = (generation.metadata if generation else {}) | tree.metadata(first)
    return shown | {"metadata": metadata} if metadata else shown


api_patterns = [
    path("api/chat", chat, name="api_chat"),
    path("api/chat/<str:key>/stream", resume, name="api_stream"),
    path("api/chat/<str:key>/stop", stop_answer, name="api_stop"),
    path("api/chat/<str:key>", conversation, name="api_conversation"),
]
