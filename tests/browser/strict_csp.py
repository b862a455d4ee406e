"""A middleware with the strictest Content Security Policy that a site may set: whatever the page does, it declares."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable

from asgiref.sync import markcoroutinefunction
from django.http import HttpRequest, HttpResponse

POLICY = (
    "default-src 'none'; script-src 'nonce-{nonce}' 'strict-dynamic'; style-src 'self'; connect-src 'self'; "
    "img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types streaming-chat"
)


class StrictCSP:
    """Gives the request a `csp_nonce`, as django-csp does, and the response the policy with it."""

    async_capable = True
    sync_capable = False

    def __init__(self, get_response: Callable[[HttpRequest], Awaitable[HttpResponse]]) -> None:
        self.get_response = get_response
        markcoroutinefunction(self)

    async def __call__(self, request: HttpRequest) -> HttpResponse:
        nonce = secrets.token_urlsafe(16)
        request.csp_nonce = nonce  # type: ignore[attr-defined]
        response = await self.get_response(request)
        response.headers["Content-Security-Policy"] = POLICY.format(nonce=nonce)
        return response
