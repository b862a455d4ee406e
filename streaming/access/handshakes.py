"""The handshake of a WebSocket, read as the GET request that it is, and the language of the person behind it."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from django.conf import settings as django_settings
from django.core.exceptions import TooManyFieldsSent
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest
from django.middleware.locale import LocaleMiddleware
from django.utils.module_loading import import_string
from django.utils.translation import get_language_from_request

from streaming.errors import Forbidden


def handshake_in(scope: dict[str, Any]) -> HttpRequest:
    """Returns the handshake of a WebSocket as Django reads requests.

    Raises:
        Forbidden: the query is not UTF-8, or has too many parts. Django refuses such a request, too.
    """
    try:
        handshake = ASGIRequest(scope | {"method": "GET"}, BytesIO())
        handshake.GET.keys()
    except (UnicodeDecodeError, TooManyFieldsSent) as error:
        raise Forbidden(str(error)) from error
    else:
        return handshake


def language_of(handshake: HttpRequest) -> str:
    """Returns the language that the site would choose for an HTTP request of the same person.

    That is the cookie's or the browser's where the site has Django's `LocaleMiddleware`, or one derived from it. A site
    without it speaks one language.
    """
    return get_language_from_request(handshake) if _chooses_languages() else django_settings.LANGUAGE_CODE


def _chooses_languages() -> bool:
    found = map(import_string, django_settings.MIDDLEWARE)
    return any(isinstance(one, type) and issubclass(one, LocaleMiddleware) for one in found)
