"""A middleware with a strict Content Security Policy. It allows only what the page needs.

A test can choose another `script-src` with a header in its requests.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable

from asgiref.sync import markcoroutinefunction
from django.http import HttpRequest, HttpResponse

POLICY = (
    "default-src 'none'; script-src {scripts}; style-src 'self'; connect-src 'self'; "
    "img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types streaming-chat"
)
SCRIPTS = "'nonce-{nonce}' 'strict-dynamic'"
HEADER = "x-script-src"


class StrictCSP:
    """Adds the policy to the response, and `csp_nonce` to the request, as django-csp does."""

    async_capable = True
    sync_capable = False

    def __init__(self, get_response: Callable[[HttpRequest], Awaitable[HttpResponse]]) -> None:
        self.get_response = get_response
        markcoroutinefunction(self)

    async def __call__(self, request: HttpRequest) -> HttpResponse:
        nonce = secrets.token_urlsafe(16)
        scripts = request.headers.get(HEADER, SCRIPTS)
        if "{nonce}" in scripts:
            request.csp_nonce = nonce  # type: ignore[attr-defined]
        response = await self.get_response(request)
        response.headers["Content-Security-Policy"] = POLICY.format(scripts=scripts.format(nonce=nonce))
        return response
