"""Checks the site around the app: the ASGI server, the middleware that identifies users, and who can reach the site."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.apps import apps
from django.conf import settings as django_settings
from django.core.checks import CheckMessage, Error, Warning
from django.urls import NoReverseMatch, reverse
from django.utils.module_loading import import_string

from streaming.asgi import StreamingApplication
from streaming.conf import settings

SESSIONS = "django.contrib.sessions.middleware.SessionMiddleware"
AUTHENTICATION = "django.contrib.auth.middleware.AuthenticationMiddleware"
NEEDED = {SESSIONS: "django.contrib.sessions", AUTHENTICATION: "django.contrib.auth"}
"""Middleware that the app needs -> the Django app that it belongs to."""

INCLUDED = 'path("chat/", include("streaming.urls"))'


def check_site(**kwargs: Any) -> list[CheckMessage]:
    """Checks that the site runs on ASGI, and has the middleware that the app needs and its URLs."""
    return [*_no_asgi(), *_no_daphne(), *_missing_middleware(), *_misplaced_urls()]


def _no_asgi() -> Iterator[CheckMessage]:
    if not getattr(django_settings, "ASGI_APPLICATION", None):
        yield Warning(
            "ASGI_APPLICATION is not set; under WSGI no answer can stream.",
            hint='Set it, for example to "mysite.asgi.application", and serve that with Daphne or uvicorn.',
            id="streaming.W020",
        )


def _no_daphne() -> Iterator[CheckMessage]:
    if not apps.is_installed("daphne"):
        yield Warning(
            "'daphne' is not in INSTALLED_APPS; runserver then serves WSGI, where no answer can stream.",
            hint="Put 'daphne' first in INSTALLED_APPS. Silence this if you never use runserver.",
            id="streaming.W021",
        )


def _missing_middleware() -> Iterator[CheckMessage]:
    for path, app in NEEDED.items():
        if not apps.is_installed(app) or not _has_middleware(path):
            yield Error(
                f"{path} is missing; the app cannot know whose conversation it is.",
                hint=f"Add it to MIDDLEWARE, and {app!r} to INSTALLED_APPS.",
                id="streaming.E022",
            )


def _has_middleware(path: str) -> bool:
    """True if the setting lists the middleware or a subclass of it."""
    wanted = import_string(path)
    return path in django_settings.MIDDLEWARE or any(
        isinstance(middleware, type) and issubclass(middleware, wanted)
        for middleware in map(import_string, django_settings.MIDDLEWARE)
    )


def _misplaced_urls() -> Iterator[CheckMessage]:
    if not getattr(django_settings, "ROOT_URLCONF", None):
        return
    try:
        address = reverse("streaming:api_chat")
    except NoReverseMatch:
        yield Warning(
            "ROOT_URLCONF does not include the app's URLs: the site has no chat page and no API.",
            hint=f"Add {INCLUDED} to its urlpatterns. Silence this if only your own code asks models.",
            id="streaming.W028",
        )
        return
    if not address.endswith("/api/chat"):
        yield Warning(
            f"The prefix of the app's URLs does not end with a slash: the API is at {address!r}.",
            hint=f"Write {INCLUDED}.",
            id="streaming.W029",
        )


def check_exposure(**kwargs: Any) -> list[CheckMessage]:
    """Checks who can reach the site. Only for `check --deploy`, because a site in development may be open."""
    return [*_open_to_all(), *_unlimited(), *_unwrapped()]


def _unwrapped() -> Iterator[CheckMessage]:
    """Imports the site's ASGI module. If that fails, the server reports it, so this check says nothing."""
    try:
        application = import_string(getattr(django_settings, "ASGI_APPLICATION", None) or "")
    except ImportError:
        return
    if not isinstance(application, StreamingApplication):
        yield Warning(
            "ASGI_APPLICATION is not a StreamingApplication: clients that do not read are never disconnected, and "
            "Daphne buffers everything for them.",
            hint="At the end of asgi.py: from streaming.asgi import StreamingApplication; "
            "application = StreamingApplication(application)",
            id="streaming.W024",
        )


def _open_to_all() -> Iterator[CheckMessage]:
    if settings.ALLOW_ANONYMOUS and "*" in django_settings.ALLOWED_HOSTS:
        yield Warning(
            "STREAMING_ALLOW_ANONYMOUS with '*' in ALLOWED_HOSTS: anybody may use the model, under any host name.",
            hint="Name the hosts. With '*' another site can point its own host name here and pass as same-origin.",
            id="streaming.W023",
        )


def _unlimited() -> Iterator[CheckMessage]:
    if settings.ALLOW_ANONYMOUS:
        yield Warning(
            "STREAMING_ALLOW_ANONYMOUS: limits per owner have no effect on a client that sends no cookie, because each "
            "of its requests is a new visitor's.",
            hint="Limit requests by address in front of the site, or let people sign in. Silence this once you have.",
            id="streaming.W025",
        )
