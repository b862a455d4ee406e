"""The decorator of every JSON and streaming endpoint. It checks who asks, and turns refusals into responses."""

from __future__ import annotations

import functools
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import BadRequest as UnreadableRequest
from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.db import Error as DatabaseTrouble
from django.db import connections, transaction
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseNotAllowed,
    StreamingHttpResponse,
)
from django.http.multipartparser import MultiPartParserError
from django.views.decorators.csrf import csrf_exempt

from streaming.access import owner_of, refuse_cross_site, refuse_sync, remember
from streaming.database import refusal_of, told
from streaming.errors import BadRequest, NotFound, RequestError, TooLarge
from streaming.supervisor import current

logger = logging.getLogger(__name__)

View = Callable[..., Coroutine[Any, Any, HttpResponseBase]]
ViewT = TypeVar("ViewT", bound=Callable[..., Any])

PRIVATE = "private, no-store"
"""For responses that set no other: all of them are one owner's."""

UNREADABLE = (MultiPartParserError, TooManyFieldsSent, TooManyFilesSent, UnreadableRequest)
"""The exceptions of Django for a form or a query that it does not read. It would answer with a page."""


def endpoint(method: str) -> Callable[[View], View]:
    """Passes the owner to a view, and answers every refusal with its text and status.

    The view needs no CSRF token, because stock clients send none. `refuse_cross_site` protects it instead. It needs no
    login by Django's `LoginRequiredMiddleware`, which would answer with a page: it refuses strangers itself.
    """
    methods = [method, "HEAD"] if method == "GET" else [method]

    def decorate(view: View) -> View:
        @csrf_exempt
        @login_not_required
        @outside_transactions
        @functools.wraps(view)
        async def guarded(request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
            if request.method not in methods:
                return HttpResponseNotAllowed(methods)
            try:
                response = await _admit(view, request, kwargs)
            except RequestError as error:
                response = refusal(error)
            if request.method != "POST":  # no cache stores the response to a POST
                response.headers.setdefault("Cache-Control", PRIVATE)
            return _without_body(response) if request.method == "HEAD" else response

        return guarded

    return decorate


def by_method(**views: View) -> View:
    """Returns one view for an address that has several endpoints, each named by its HTTP method."""
    allowed = [*views, "HEAD"] if "GET" in views else [*views]

    @csrf_exempt
    @login_not_required
    @outside_transactions
    async def chosen(request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        view = views.get("GET" if request.method == "HEAD" else str(request.method))
        return await view(request, **kwargs) if view else HttpResponseNotAllowed(allowed)

    return chosen


def outside_transactions(view: ViewT) -> ViewT:
    """Exempts a view from `ATOMIC_REQUESTS` of every database.

    Django refuses async views under it, and no stream may hold a transaction open.
    """
    for alias in connections:
        view = transaction.non_atomic_requests(alias)(view)
    return view


def refusal(error: RequestError) -> HttpResponse:
    """The response to a request that is refused: the text, the status, and when to ask again."""
    response = HttpResponse(str(error), status=error.status, content_type="text/plain; charset=utf-8")
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def _without_body(response: HttpResponseBase) -> HttpResponseBase:
    """The response to a HEAD request: the status and headers of `response`. A stream is closed unread.

    Servers leave out the body themselves. It stays until then, so that middleware tells its length.
    """
    if not response.streaming:
        return response
    response.close()
    return StreamingHttpResponse(_nothing(), status=response.status_code, headers=response.headers)


async def _nothing() -> AsyncIterator[bytes]:
    """Yields nothing."""
    pieces: tuple[bytes, ...] = ()
    for piece in pieces:
        yield piece


async def _admit(view: View, request: HttpRequest, kwargs: dict[str, Any]) -> HttpResponseBase:
    refuse_sync(request)
    refuse_cross_site(request)
    if "\x00" in kwargs.get("key", ""):
        raise NotFound("There is nothing here.")
    current().ensure_sweeping()
    begins = request.method == "POST"
    with database_refusals(), form_refusals():
        request.GET.keys()  # a query that Django does not read is refused before the view has done something
        owner = await owner_of(request, begins=begins)
        response = await view(request, owner, **kwargs)
    if begins:
        remember(request, owner)
    return response


@contextmanager
def database_refusals() -> Iterator[None]:
    """A context that logs an error of the database and raises what people are told of it.

    Raises:
        RequestError: the database cannot answer. Its `__cause__` is the database's own error.
    """
    try:
        yield
    except DatabaseTrouble as trouble:
        refusal = refusal_of(trouble)
        if refusal is None:
            raise
        logger.exception("A request failed (%s).", told(trouble))
        raise refusal from trouble


@contextmanager
def form_refusals() -> Iterator[None]:
    """A context that raises what people are told of a body or a query that Django does not read.

    Raises:
        BadRequest: it is broken, or has too many parts.
        TooLarge: the body exceeds Django's DATA_UPLOAD_MAX_MEMORY_SIZE.
    """
    try:
        yield
    except UNREADABLE as error:
        raise BadRequest("The request's form or query cannot be read, or has too many parts.") from error
    except RequestDataTooBig as error:
        raise TooLarge(
            "The request is larger than this site accepts (DATA_UPLOAD_MAX_MEMORY_SIZE). "
            "Send only the last message, and send files to api/files first."
        ) from error


def body_of(request: HttpRequest) -> bytes:
    """Returns the body of a request.

    Raises:
        BadRequest: the Content-Length is no number. Most servers refuse such a request themselves.
        RequestDataTooBig: it exceeds Django's DATA_UPLOAD_MAX_MEMORY_SIZE. `endpoint` refuses the request then.
    """
    try:
        return request.body
    except ValueError as error:
        raise BadRequest("The request's Content-Length must be a number.") from error
