"""Django 6's Content Security Policy, for tests under Django 5.2: a nonce that is made when it is first used.

It is falsy until then, and the header names it only if it was used. Its name on the request is the same, too.
"""

from __future__ import annotations

import secrets
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.deprecation import MiddlewareMixin
from django.utils.functional import SimpleLazyObject, empty


class LazyNonce(SimpleLazyObject):
    def __init__(self) -> None:
        super().__init__(lambda: secrets.token_urlsafe(16))

    def __bool__(self) -> bool:
        return self._wrapped is not empty  # type: ignore[attr-defined]


class ContentSecurityPolicyMiddleware(MiddlewareMixin):
    def process_request(self, request: HttpRequest) -> None:
        request._csp_nonce = LazyNonce()  # type: ignore[attr-defined]

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        nonce = request._csp_nonce  # type: ignore[attr-defined]
        response.headers["Content-Security-Policy"] = "; ".join(
            f"{name} {' '.join(_values(values, nonce))}" for name, values in settings.SECURE_CSP.items()
        )
        return response


def _values(values: list[str], nonce: Any) -> list[str]:
    named = [f"'nonce-{nonce}'" if value == settings.NONCE and nonce else value for value in values]
    return [value for value in named if value != settings.NONCE] or ["'none'"]
