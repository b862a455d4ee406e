"""Checks the views that ask for objects: each provider must be able to express the type."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.conf import settings as django_settings
from django.core.checks import CheckMessage, Error
from django.urls import URLPattern, URLResolver, get_resolver

from streaming.conf import settings, suggest
from streaming.outputs import HINT, Asks, asked_by, problem_of
from streaming.providers import options_of, provider_class


def check_outputs(**kwargs: Any) -> list[CheckMessage]:
    """Checks the views of `object_view` among the URL patterns."""
    if not getattr(django_settings, "ROOT_URLCONF", None):
        return []
    return [one for pattern in _patterns(get_resolver().url_patterns) for one in _problems(pattern)]


def _patterns(some: Iterable[URLPattern | URLResolver]) -> Iterator[URLPattern]:
    for one in some:
        if isinstance(one, URLResolver):
            yield from _patterns(one.url_patterns)
        else:
            yield one


def _problems(pattern: URLPattern) -> Iterator[CheckMessage]:
    asks = asked_by(pattern.callback)
    if asks is None or not isinstance(settings.PROVIDERS, dict):
        return
    where = f"The view at {str(pattern.pattern)!r}"
    if asks.alias not in settings.PROVIDERS:
        text = f"{where} asks {asks.alias!r}, which is no provider of STREAMING_PROVIDERS."
        yield Error(text, hint=suggest(asks.alias, tuple(map(str, settings.PROVIDERS))), id="streaming.E067")
    elif problem := _problem(asks):
        yield Error(f"{where} has a type that its provider cannot express. {problem}", hint=HINT, id="streaming.E067")


def _problem(asks: Asks) -> str:
    """Asks a provider of its own, which connects to nothing. `check_providers` reports one that cannot be made."""
    try:
        provider = provider_class(asks.alias)(**options_of(asks.alias))
    except Exception:
        return ""
    return problem_of(asks.wanted, provider, asks.alias)
