"""Reads what a client asks for in the query of an address, over HTTP and in the handshake of a WebSocket."""

from __future__ import annotations

from django.http import HttpRequest


def wants_html(request: HttpRequest) -> bool:
    """Returns True if the client asks for the HTML of the answers' texts beside their chunks, with `?html=1`."""
    return request.GET.get("html") == "1"


def wants_named_ids(request: HttpRequest) -> bool:
    """Returns True if the client asks for ids of events that name their answer, with `?named=1`."""
    return request.GET.get("named") == "1"
