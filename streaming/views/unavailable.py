"""The page that people see while the database cannot answer. It reads nothing from the database itself."""

from __future__ import annotations

from typing import Any

from django.conf import settings as site
from django.contrib.auth.models import AnonymousUser
from django.db import Error as DatabaseTrouble
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from streaming.database import told
from streaming.errors import RequestError
from streaming.views.endpoint import refusal


def unavailable_page(request: HttpRequest, error: RequestError) -> HttpResponse:
    """Returns the page that says why the request is refused: status, text and Retry-After are those of the API.

    The site's context processors are left out, because many read the account. If the site's own template reads the
    database all the same, the response is the text alone.
    """
    response = refusal(error)
    context: dict[str, Any] = {
        "request": request,
        "user": AnonymousUser(),
        "reason": str(error),
        "detail": told(error.__cause__) if site.DEBUG and error.__cause__ else "",
    }
    try:
        response.content = render_to_string("streaming/unavailable.html", context)
    except DatabaseTrouble:
        return response
    response.headers["Content-Type"] = "text/html; charset=utf-8"
    return response
