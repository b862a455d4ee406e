"""Checks the providers that stand in for others, `FALLBACK` in an entry of `STREAMING_PROVIDERS`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core.checks import CheckMessage, Error

from streaming.conf import settings, suggest

EXAMPLE = 'For example: "FALLBACK": ["claude", "ours"], which are aliases of other entries.'


def check_fallback(**kwargs: Any) -> list[CheckMessage]:
    """Checks that each `FALLBACK` is a list of other providers. Two providers may stand in for each other."""
    providers: Any = settings.PROVIDERS  # of any shape, because `check_providers` reports a wrong shape
    entries = providers.items() if isinstance(providers, dict) else ()
    return [
        Error(f"STREAMING_PROVIDERS[{alias!r}] has a wrong FALLBACK: {fault}", hint=hint, id="streaming.E016")
        for alias, entry in entries
        if isinstance(entry, dict) and "FALLBACK" in entry
        for fault, hint in _faults(alias, entry["FALLBACK"], providers)
    ]


def _faults(alias: object, named: object, providers: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yields each fault of a list with a hint."""
    if not isinstance(named, (list, tuple)) or not named or not all(isinstance(one, str) for one in named):
        yield "it must be a list of aliases, one or more.", EXAMPLE
        return
    for at, one in enumerate(named):
        if one == alias:
            yield "it names the provider itself.", "Remove it: the provider is asked first anyway."
        elif one not in providers:
            yield f"there is no provider {one!r}.", suggest(one, tuple(map(str, providers)))
        elif one in named[:at]:
            yield f"it names {one!r} twice.", "Remove the second one: each provider is asked once in turn."
