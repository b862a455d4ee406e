"""The admin while the database cannot answer: the page that people see then, in place of a traceback."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from django.db import Error as DatabaseTrouble
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import URLPattern

from streaming.errors import RequestError
from streaming.views import database_refusals, unavailable_page

View = Callable[..., Any]


def tolerant(pattern: URLPattern) -> URLPattern:
    """Returns the address with a view that shows the page. A view that is a coroutine answers for itself."""
    if not inspect.iscoroutinefunction(pattern.callback):
        pattern.callback = _guarded(pattern.callback)
    return pattern


def _guarded(view: View) -> View:
    @functools.wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response = _or_page(request, view, request, *args, **kwargs)
        render = getattr(response, "render", None)
        if render is not None:  # it is called when middleware has seen the response, and reads the database then
            response.render = functools.partial(_or_page, request, render)  # type: ignore[attr-defined]
        return response

    return guarded


def _or_page(request: HttpRequest, call: View, *args: Any, **kwargs: Any) -> HttpResponseBase:
    try:
        with database_refusals():
            response: HttpResponseBase = call(*args, **kwargs)
            return response
    except RequestError as refusal:
        if isinstance(refusal.__cause__, DatabaseTrouble):
            return unavailable_page(request, refusal)
        raise
