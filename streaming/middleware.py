"""Middleware for sites that serve crowds."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase
from django.utils.decorators import sync_only_middleware

View = Callable[[HttpRequest], HttpResponseBase]


@sync_only_middleware
def one_trip(get_response: View) -> View:
    """Send a request to its thread once for all middleware, not twice for each.

        MIDDLEWARE = [..., "streaming.middleware.one_trip"]      # the last

    It adds nothing to `get_response`. But it is synchronous only, so Django calls whatever stands before it as plain
    functions, one from the other, and comes back to the event loop for the view. Middleware that is asynchronous only
    keeps its own way, and what stands before that goes as without this.
    """
    return get_response
