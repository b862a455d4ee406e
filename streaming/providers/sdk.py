"""The providers on the vendors' two SDKs: how an SDK is connected, called and understood."""

from __future__ import annotations

import asyncio
import functools
import os
import ssl
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, aclosing
from operator import attrgetter
from types import ModuleType
from typing import Any

from streaming.conf import install
from streaming.errors import ProviderError
from streaming.providers.base import Problem
from streaming.providers.body import response_below
from streaming.providers.failures import from_status, from_transport
from streaming.providers.options import missing_extra
from streaming.providers.redact import hide
from streaming.providers.vendor import (
    CONNECT_SECONDS,
    VendorOptions,
    VendorProvider,
    is_loopback,
    option_problems,
    variable,
)

MAX_CONNECTIONS = 10_000
"""Practically no limit, because `STREAMING_MAX_ACTIVE_PER_PROCESS` already limits the connections."""

MAX_IDLE_CONNECTIONS = 100
"""The number of idle connections that stay open. A new one costs a TLS handshake, an idle one a descriptor."""

NO_KEY = "none"
"""The key for a compatible server that wants none. The SDKs require one."""

ResponseContext = AbstractAsyncContextManager[Any]


class SDKProvider(VendorProvider):
    """A `Provider` on one SDK client. A subclass makes the client and calls the API."""

    @classmethod
    def load(cls, options: Mapping[str, Any]) -> None:
        """Imports what the first answer needs. That takes half a second. The SDK imports some of it late."""
        provider = cls(**options)
        provider._create(provider._make()[1])

    async def _connect(self) -> tuple[ModuleType, Any]:
        return await asyncio.to_thread(self._make)

    def _make(self) -> tuple[ModuleType, Any]:
        """Returns the SDK's module and a client. It imports the SDK, so that a site needs only the SDK that it uses."""
        raise NotImplementedError

    async def _open(self, client: Any, body: dict[str, Any]) -> AbstractAsyncContextManager[Any]:
        """See `VendorProvider._open`. Nothing of the SDK is kept if it need not read the body.

        Its objects hold the encoded request, and take 9 KB of their own, as long as the answer is being written.
        """
        answered = await self._call(self._create(client), body).__aenter__()  # its `__aexit__` only closes the response
        return response_below(answered.http_response) or aclosing(answered.http_response)

    def _call(self, create: Callable[..., ResponseContext], body: dict[str, Any]) -> ResponseContext:
        """Calls the API. `body` is complete, so it is passed as `extra_body`."""
        raise NotImplementedError

    def _create(self, client: Any) -> Callable[..., ResponseContext]:
        """Returns the SDK's function that calls the API."""
        create: Callable[..., ResponseContext] = attrgetter(f"{self.resource}.with_streaming_response.create")(client)
        return create

    def _error_for(self, package: ModuleType, exc: Exception, *, began: bool) -> ProviderError | None:
        import aiohttp
        import httpx2

        if isinstance(exc, package.APIStatusError):
            return from_status(exc.status_code, exc.body, exc.response.headers)
        if isinstance(exc, (package.APIConnectionError, httpx2.RequestError, aiohttp.ClientError, TimeoutError)):
            return from_transport(exc, began=began)
        return None

    @classmethod
    def check(cls, alias: str, options: Mapping[str, Any]) -> list[Problem]:
        """See `Provider.check`. The SDK need not be installed."""
        hint = install(cls.vendor)
        missing = missing_extra(alias, cls.vendor, hint) or missing_extra(alias, "aiohttp", hint)
        return [*missing, *option_problems(cls.vendor, alias, options)]


def client_arguments(sdk: ModuleType, options: VendorOptions) -> dict[str, Any]:
    """Returns the keyword arguments for an SDK's client, with a connection pool on the aiohttp transport."""
    import httpx2

    limits = httpx2.Limits(max_connections=MAX_CONNECTIONS, max_keepalive_connections=MAX_IDLE_CONNECTIONS)
    timeout = httpx2.Timeout(options.timeout, connect=CONNECT_SECONDS)
    api_key = options.api_key or os.environ.get(variable(sdk.__name__, "API_KEY")) or NO_KEY
    hide(api_key, *options.headers.values())
    uses_proxies = not is_loopback(options.base_url)
    return {
        "api_key": api_key,
        "base_url": options.base_url or None,
        "timeout": timeout,
        "max_retries": options.max_retries,
        "default_headers": options.headers,
        "http_client": sdk.DefaultAioHttpClient(
            verify=_tls(trust_env=uses_proxies), limits=limits, timeout=timeout, trust_env=uses_proxies
        ),
    }


@functools.cache
def _tls(*, trust_env: bool) -> ssl.SSLContext:
    """Returns the TLS context that all clients share. To make one reads all certificates, which takes some 20 ms."""
    import httpx2

    return httpx2.create_ssl_context(trust_env=trust_env)
