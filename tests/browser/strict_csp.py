"""A middleware with a strict Content Security Policy, as a site may set it.

It allows only what the page is known to do. A test may ask for another `script-src` in a header of its requests.
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
    """Gives the response the policy, and the request its nonce as `csp_nonce`, as django-csp does."""

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
