"""Checks the shape of `STREAMING_PROVIDERS`. Each provider's `check` method checks its own options."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core.checks import CheckMessage, Error, Warning
from django.core.exceptions import ImproperlyConfigured

from streaming.conf import MAX_ALIAS_CHARS, ProviderConfig, settings, suggest
from streaming.context import VENDOR_BODIES, BadContext, context_of, policy_function
from streaming.providers import Problem, dialect_of, provider_class

KEYS = tuple(ProviderConfig.__annotations__)
EXAMPLE = '{"default": {"BACKEND": "streaming.providers.openai.ChatCompletions", "OPTIONS": {"model": "gpt-5-mini"}}}'
CONTEXT_HINT = 'For example: "CONTEXT": {"policy": "summary", "window": 200_000}. See docs/long-conversations.md.'
BACKEND_HINT = "Name a provider class, such as streaming.providers.openai.ChatCompletions."

PROBLEMS: dict[str, tuple[type[Error | Warning], str]] = {
    "bad_backend": (Error, "streaming.E005"),
    "missing_extra": (Error, "streaming.E006"),
    "missing_model": (Error, "streaming.E007"),
    "unknown_option": (Error, "streaming.E008"),
    "bad_option": (Error, "streaming.E009"),
    # Only a warning: the key may exist only where the site runs, and collectstatic and migrate must work without it.
    "empty_key": (Warning, "streaming.W010"),
}
"""The kind of a provider's `Problem` -> the class and the id of the message."""


def check_providers(**kwargs: Any) -> list[CheckMessage]:
    """Checks the whole setting and each provider in it."""
    providers: object = settings.PROVIDERS
    if not providers:
        return [Error("STREAMING_PROVIDERS is not set.", hint=f"For example: {EXAMPLE}", id="streaming.E001")]
    if not isinstance(providers, dict):
        return [_malformed("STREAMING_PROVIDERS must be a dict of dicts.")]
    messages = [message for alias, entry in providers.items() for message in _check_entry(alias, entry)]
    messages += _check_titles(providers)
    return messages if "default" in providers else [_no_default(providers), *messages]


def _check_titles(providers: dict[Any, Any]) -> list[CheckMessage]:
    if settings.TITLES is None or settings.TITLES in providers:
        return []
    text = f"STREAMING_TITLES names {settings.TITLES!r}, which is no provider of STREAMING_PROVIDERS."
    return [Error(text, hint=suggest(settings.TITLES, tuple(map(str, providers))), id="streaming.E026")]


def _check_entry(alias: object, entry: object) -> Iterator[CheckMessage]:
    if not isinstance(alias, str) or len(alias) > MAX_ALIAS_CHARS or not isinstance(entry, dict):
        wanted = f"must be a dict, and its alias a str of at most {MAX_ALIAS_CHARS} characters"
        yield _malformed(f"STREAMING_PROVIDERS[{alias!r}] {wanted}.")
    elif not isinstance(entry.get("BACKEND"), str) or not isinstance(entry.get("OPTIONS", {}), dict):
        yield _malformed(
            f"STREAMING_PROVIDERS[{alias!r}] needs a BACKEND (str). Its OPTIONS, if it has them, must be a dict."
        )
        yield from _unknown_keys(alias, entry)
    else:
        yield from _unknown_keys(alias, entry)
        yield from map(_message, _problems(alias, entry.get("OPTIONS", {})))
        yield from _wrong_context(alias)


def _unknown_keys(alias: str, entry: dict[Any, Any]) -> Iterator[CheckMessage]:
    for key in entry.keys() - set(KEYS):
        text = f"STREAMING_PROVIDERS[{alias!r}] has an unknown key {key!r}."
        yield Error(text, hint=suggest(str(key), KEYS), id="streaming.E003")


def _wrong_context(alias: str) -> Iterator[CheckMessage]:
    try:
        read = context_of(alias)
        if "." in read.policy:
            policy_function(read.policy)
        if read.policy == "vendor" and read.body is None and dialect_of(alias) not in VENDOR_BODIES:
            raise BadContext(f"The CONTEXT of provider {alias!r} is wrong: 'vendor' needs a 'body' for this dialect.")
    except BadContext as error:
        yield Error(str(error), hint=CONTEXT_HINT, id="streaming.E027")


def _problems(alias: str, options: dict[str, Any]) -> list[Problem]:
    try:
        backend = provider_class(alias)
    except ImproperlyConfigured as exc:
        return [Problem("bad_backend", str(exc), BACKEND_HINT)]
    return backend.check(alias, options)


def _message(problem: Problem) -> CheckMessage:
    kind, check_id = PROBLEMS[problem.kind]
    return kind(problem.message, hint=problem.hint, id=check_id)


def _malformed(text: str) -> Error:
    return Error(text, hint=f"For example: {EXAMPLE}", id="streaming.E002")


def _no_default(providers: dict[Any, Any]) -> Error:
    return Error(
        'STREAMING_PROVIDERS has no "default".',
        hint=f"It answers if a message names no alias. Rename one of: {', '.join(map(str, providers))}.",
        id="streaming.E004",
    )
