"""Providers: the only package that talks to models.

    provider = get_provider("default")
    async for chunk in provider.stream(request): ...

A `Provider` sends a `GenerationRequest` to a model and yields the raw bytes of the answer in a known dialect.
`get_provider` makes one instance for each alias of `STREAMING_PROVIDERS` and each event loop. `close_providers` closes
their connections.
"""

from __future__ import annotations

from streaming.providers.base import Problem, Provider, ProviderClass
from streaming.providers.registry import (
    close_providers,
    files_taken,
    get_provider,
    is_taken,
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
    "close_providers",
    "files_taken",
    "get_provider",
    "is_taken",
    "load_provider",
    "offered_providers",
    "options_of",
    "origin_of",
    "provider_class",
    "structured_by",
]
