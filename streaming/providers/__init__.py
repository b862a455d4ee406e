"""Providers: the only room that speaks to a model over the network.

    provider = get_provider("default")
    async for chunk in provider.stream(request): ...

A `Provider` turns a `GenerationRequest` into the raw bytes of an answer in a known dialect. `get_provider` makes one
instance for each alias of `STREAMING_PROVIDERS` and event loop; `close_providers` gives their connections back.
"""

from __future__ import annotations

from streaming.providers.base import Problem, Provider, ProviderClass
from streaming.providers.registry import close_providers, files_taken, get_provider, is_taken, origin_of, provider_class

__all__ = [
    "Problem",
    "Provider",
    "ProviderClass",
    "close_providers",
    "files_taken",
    "get_provider",
    "is_taken",
    "origin_of",
    "provider_class",
]
