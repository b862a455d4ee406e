"""Providers: the only package that talks to models.

    provider = get_provider("default")
    async for chunk in provider.stream(request): ...

A `Provider` sends a `GenerationRequest` to a model and yields the raw bytes of the answer in a known dialect.
`get_provider` makes one instance for each alias of `STREAMING_PROVIDERS` and each event loop. `close_providers` closes
their connections. A `Route` has the providers that one answer may ask, with those that stand in for the first one.
"""

from __future__ import annotations

from streaming.providers.base import Problem, Provider, ProviderClass
from streaming.providers.breaker import State, breaker_states, open_breakers
from streaming.providers.caching import cache_key_of
from streaming.providers.fallback import Route, route_to
from streaming.providers.registry import (
    close_providers,
    dialect_of,
    files_taken,
    get_provider,
    is_taken,
    known_alias,
    load_provider,
    offered_providers,
    options_of,
    origin_of,
    provider_class,
    structured_by,
)

__all__ = [
    "Problem",
    "Provider",
    "ProviderClass",
    "Route",
    "State",
    "breaker_states",
    "cache_key_of",
    "close_providers",
    "dialect_of",
    "files_taken",
    "get_provider",
    "is_taken",
    "known_alias",
    "load_provider",
    "offered_providers",
    "open_breakers",
    "options_of",
    "origin_of",
    "provider_class",
    "route_to",
    "structured_by",
]
