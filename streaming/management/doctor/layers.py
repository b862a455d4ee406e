"""Opens the probe at one place of its way, and measures what arrives there."""

from __future__ import annotations

import asyncio
import http.client
import logging
import time
import zlib
from collections.abc import Callable
from typing import Any
from urllib.parse import SplitResult, urlencode, urlsplit

from django.conf import settings as django_settings
from django.core.handlers.asgi import ASGIHandler
from django.http import StreamingHttpResponse
from django.test import AsyncRequestFactory
from django.test.utils import override_settings
from django.urls import reverse

from streaming.management.doctor.measurement import Measurement
from streaming.views.probe import Plan, probe

# The headers of browsers. A compressor compresses only for a client that offers to read it.
ACCEPTED = {"Accept": "text/event-stream", "Accept-Encoding": "gzip, deflate, br, zstd"}
PATIENCE_SECONDS = 20.0
"""Seconds of silence, beside the plan's own, after which a stream counts as cut. So long after its last frame was due,
one that still sends counts as endless."""


def address(plan: Plan) -> str:
    """Returns the path and query of the probe."""
    return f"{reverse('streaming:probe')}?{urlencode({'plan': plan.signed()})}"


def view_alone(plan: Plan) -> Measurement:
    """Measures the view of the app, without middleware and without a server."""
    return asyncio.run(_view_alone(plan))


async def _view_alone(plan: Plan) -> Measurement:
    found = Measurement()
    response = await probe(AsyncRequestFactory().get(address(plan)))
    found.begin(response.status_code, response.headers)
    if isinstance(response, StreamingHttpResponse):
        async for piece in response:
            found.take(piece)
    return found


def behind_middleware(plan: Plan, site: str) -> Measurement:
    """Measures the ASGI application of these settings, with its middleware, as a server would call it."""
    return asyncio.run(_behind_middleware(ASGIHandler(), plan, urlsplit(site)))


async def _behind_middleware(application: Any, plan: Plan, site: SplitResult) -> Measurement:
    found = Measurement()
    is_read = asyncio.Event()

    async def receive() -> dict[str, Any]:
        if not is_read.is_set():
            is_read.set()
            return {"type": "http.request", "body": b"", "more_body": False}
        await asyncio.Event().wait()  # the client stays
        raise AssertionError

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in message["headers"]}
            found.begin(message["status"], headers)
        else:
            found.take(message.get("body", b""))

    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await application(_scope(plan, site), receive, send)
    except Exception as trouble:  # a middleware may raise anything
        found.trouble = f"{type(trouble).__name__}: {trouble}".rstrip(": ")
    return found


def _scope(plan: Plan, site: SplitResult) -> dict[str, Any]:
    path, _, query = address(plan).partition("?")
    headers = {"Host": site.netloc} | ACCEPTED
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": site.scheme,
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        "server": (site.hostname, site.port or 80),
        "client": ("127.0.0.1", 1),
    }


def culprit(plan: Plan, site: str, is_well: Callable[[Measurement], bool]) -> str | None:
    """Returns the middleware without which the stream is well; None if no single one is at fault."""
    every = list(django_settings.MIDDLEWARE)
    quiet = logging.getLogger("django.request")
    for one in every:
        with override_settings(MIDDLEWARE=[other for other in every if other != one]):
            try:
                quiet.disabled = True
                if is_well(behind_middleware(plan, site)):
                    return str(one)
            except Exception:  # noqa: S112  # other middleware needs this one; then it is not the one at fault
                continue
            finally:
                quiet.disabled = False
    return None


def over_http(plan: Plan, site: str) -> Measurement:
    """Measures what a client gets over HTTP from a running site."""
    found, to = Measurement(), urlsplit(site)
    ends_at = time.monotonic() + plan.due(plan.frames) + PATIENCE_SECONDS
    kind = http.client.HTTPSConnection if to.scheme == "https" else http.client.HTTPConnection
    connection = kind(to.hostname or "", to.port, timeout=plan.silence + PATIENCE_SECONDS)
    try:
        connection.request("GET", to.path.rstrip("/") + address(plan), headers=ACCEPTED)
        response = connection.getresponse()
        found.begin(response.status, dict(response.getheaders()))
        while not found.is_endless and (data := response.read1(65_536)):
            found.take(data)
            found.is_endless = time.monotonic() > ends_at
    except (OSError, http.client.HTTPException, zlib.error) as trouble:
        found.trouble = f"{type(trouble).__name__}: {trouble}".rstrip(": ")
    finally:
        connection.close()
    return found
