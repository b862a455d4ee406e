"""The checks of the site around the app."""

from __future__ import annotations

import sys
import types
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.sessions.middleware import SessionMiddleware
from django.core.checks import Error, Warning
from django.urls import include, path

from tests.checks import messages


class OwnSessionMiddleware(SessionMiddleware):
    pass


@pytest.mark.parametrize("value", [None, ""])
def test_asgi_application_must_be_set(value):
    assert messages(ASGI_APPLICATION=value) == [
        Warning(
            "ASGI_APPLICATION is not set; under WSGI no answer can stream.",
            hint='Set it, for example to "mysite.asgi.application", and serve that with Daphne or uvicorn.',
            id="streaming.W020",
        )
    ]


def without(setting: str, value: str) -> dict[str, list[str]]:
    return {setting: [each for each in getattr(django_settings, setting) if each != value]}


def test_missing_daphne_is_a_warning():
    assert messages(**without("INSTALLED_APPS", "daphne")) == [
        Warning(
            "'daphne' is not in INSTALLED_APPS; runserver then serves WSGI, where no answer can stream.",
            hint="Put 'daphne' first in INSTALLED_APPS. Silence this if you never use runserver.",
            id="streaming.W021",
        )
    ]


def urls(patterns: tuple[Any, ...], monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a module with these patterns."""
    made = types.ModuleType("urls_of_a_site")
    made.urlpatterns = patterns  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, made.__name__, made)
    return made.__name__


def test_urls_must_be_included(monkeypatch):
    assert messages(ROOT_URLCONF=urls((), monkeypatch)) == [
        Warning(
            "ROOT_URLCONF does not include the app's URLs: the site has no chat page and no API.",
            hint='Add path("chat/", include("streaming.urls")) to its urlpatterns. '
            "Silence this if only your own code asks models.",
            id="streaming.W028",
        )
    ]
    assert messages(ROOT_URLCONF=None) == []


def test_prefix_of_the_urls_must_end_with_a_slash(monkeypatch):
    patterns = (path("chat", include("streaming.urls")),)
    assert messages(ROOT_URLCONF=urls(patterns, monkeypatch)) == [
        Warning(
            "The prefix of the app's URLs does not end with a slash: the API is at '/chatapi/chat'.",
            hint='Write path("chat/", include("streaming.urls")).',
            id="streaming.W029",
        )
    ]


@pytest.mark.parametrize("app", ["sessions", "auth"])
def test_missing_middleware_is_an_error(app):
    name = {"sessions": "SessionMiddleware", "auth": "AuthenticationMiddleware"}[app]
    wanted = f"django.contrib.{app}.middleware.{name}"
    assert messages(**without("MIDDLEWARE", wanted)) == [
        Error(
            f"{wanted} is missing; the app cannot know whose conversation it is.",
            hint=f"Add it to MIDDLEWARE, and 'django.contrib.{app}' to INSTALLED_APPS.",
            id="streaming.E022",
        )
    ]


def test_subclass_of_the_middleware_is_enough():
    needed = "django.contrib.sessions.middleware.SessionMiddleware"
    middleware = [*without("MIDDLEWARE", needed)["MIDDLEWARE"], f"{__name__}.OwnSessionMiddleware"]
    assert messages(MIDDLEWARE=middleware) == []


UNLIMITED = Warning(
    "STREAMING_ALLOW_ANONYMOUS: limits per owner have no effect on a client that sends no cookie, because each "
    "of its requests is a new visitor's.",
    hint="Limit requests by address in front of the site, or let people sign in. Silence this once you have.",
    id="streaming.W025",
)


def test_site_open_to_everybody_is_a_warning_when_deployed():
    overrides: dict[str, Any] = {"ALLOWED_HOSTS": ["*"], "STREAMING_ALLOW_ANONYMOUS": True}
    assert messages(**overrides) == []
    assert messages(deploy=True, **overrides) == [
        Warning(
            "STREAMING_ALLOW_ANONYMOUS with '*' in ALLOWED_HOSTS: anybody may use the model, under any host name.",
            hint="Name the hosts. With '*' another site can point its own host name here and pass as same-origin.",
            id="streaming.W023",
        ),
        UNLIMITED,
    ]
    assert messages(deploy=True, **overrides | {"STREAMING_ALLOW_ANONYMOUS": False}) == []


def test_visitors_without_limits_are_a_warning_when_deployed():
    assert messages(STREAMING_ALLOW_ANONYMOUS=True) == []
    assert messages(deploy=True, STREAMING_ALLOW_ANONYMOUS=True) == [UNLIMITED]


def test_unwrapped_application_is_a_warning_when_deployed():
    assert messages(ASGI_APPLICATION="tests.serving.bare.application") == []
    assert messages(deploy=True, ASGI_APPLICATION="tests.serving.bare.application") == [
        Warning(
            "ASGI_APPLICATION is not a StreamingApplication: clients that do not read are never disconnected, and "
            "Daphne buffers everything for them.",
            hint="At the end of asgi.py: from streaming.asgi import StreamingApplication; "
            "application = StreamingApplication(application)",
            id="streaming.W024",
        )
    ]


@pytest.mark.parametrize("application", ["project.asgi.application", "no.such.module"])
def test_wrapped_or_missing_application_is_no_warning(application):
    assert messages(deploy=True, ASGI_APPLICATION=application) == []
