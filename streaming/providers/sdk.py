"""The common part of the providers on the vendors' two SDKs: options, connection pool, raw bytes and errors."""

from __future__ import annotations

import asyncio
import functools
import os
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from operator import attrgetter
from types import ModuleType
from typing import Any, ClassVar, Protocol
from urllib.parse import SplitResult, urlsplit

import msgspec

from streaming.conf import Count, Seconds, install
from streaming.errors import ProviderError
from streaming.protocol import DialectName, GenerationRequest, encode
from streaming.protocol.requests import Way
from streaming.providers.base import Problem
from streaming.providers.body import Body, Content, content_of
from streaming.providers.failures import from_status, from_transport
from streaming.providers.options import Options, missing_extra, missing_model, problems, read, with_defaults, wrong_url
from streaming.providers.redact import hide, redact

CONNECT_SECONDS = 10
MAX_CONNECTIONS = 10_000
"""Practically no limit, because `STREAMING_MAX_ACTIVE_PER_PROCESS` already limits the connections."""

MAX_IDLE_CONNECTIONS = 100
"""The number of idle connections that stay open. A new one costs a TLS handshake, an idle one a descriptor."""

NO_KEY = "none"
"""The key for a compatible server that wants none. The SDKs require one."""


class SDKOptions(Options, frozen=True, kw_only=True):
    """The options of both SDK providers. `timeout` is the longest silence in seconds; 600 is the SDKs' own default.

    `max_retries` counts the SDK's attempts after the first. They multiply those of `STREAMING_PROVIDER_RETRIES`, which
    also repeats requests after errors that arrive inside a stream. `prompt_cache` says if requests are marked for the
    vendor's prompt cache; None leaves it to the class.
    """

    api_key: str | None = None
    base_url: str | None = None
    prompt_cache: bool | None = None
    timeout: Seconds = 600
    max_retries: Count = 0
    headers: dict[str, str] = {}


class RawResponse(Protocol):
    """The part of both SDKs' raw responses that this package uses."""

    def iter_bytes(self) -> AsyncIterator[bytes]: ...


ResponseContext = AbstractAsyncContextManager[RawResponse]


class SDKProvider:
    """A `Provider` on one SDK client. A subclass makes the client and calls the API."""

    dialect: DialectName
    sdk_name: ClassVar[str]
    default_host: ClassVar[str]
    """The host that the SDK asks if no `base_url` is set."""
    resource: ClassVar[str]
    """The attribute of the SDK's client that has the API, for example `chat.completions`."""
    marks_for_all: ClassVar[bool] = False
    """True if compatible servers may be sent the marks of the prompt cache. Otherwise only the vendor is."""

    def __init__(self, **options: Any) -> None:
        self.options = read(SDKOptions, options)
        self.model = self.options.model
        self.parser_options = self.options.parser
        self._connecting = asyncio.Lock()
        self._connected: tuple[ModuleType, Any] | None = None

    @property
    def origin(self) -> str:
        """The dialect and the host that answers. What this host signed goes back only to it."""
        given = self._address
        port = f":{given.port}" if given.port else ""
        return f"{self.dialect} {given.hostname or self.default_host}{port}"

    @property
    def _address(self) -> SplitResult:
        """The address of a compatible server; empty for the vendor's."""
        return urlsplit(self.options.base_url or os.environ.get(variable(self.sdk_name, "BASE_URL")) or "")

    @property
    def _is_vendors_own(self) -> bool:
        """True if the vendor itself is asked, also at a regional host such as `eu.api.openai.com`."""
        host = self._address.hostname or self.default_host
        return host == self.default_host or host.endswith(f".{self.default_host}")

    @property
    def structured(self) -> Way:
        """The way in which an object is asked for. Many compatible servers have tools, but no mode for a schema."""
        return self.options.structured or ("schema" if self._is_vendors_own else "tool")

    @classmethod
    def load(cls, options: Mapping[str, Any]) -> None:
        """Imports what the first answer needs. That takes half a second. The SDK imports some of it late."""
        provider = cls(**options)
        provider._create(provider._connect()[1])

    def _connect(self) -> tuple[ModuleType, Any]:
        """Returns the SDK's module and a client. It imports the SDK, so that a site needs only the SDK that it uses."""
        raise NotImplementedError

    def _open(self, client: Any, body: dict[str, Any]) -> ResponseContext:
        """Calls the SDK. `body` is complete wire JSON, so it is passed as `extra_body`."""
        raise NotImplementedError

    def _create(self, client: Any) -> Callable[..., ResponseContext]:
        """Returns the SDK's function that calls the API."""
        create: Callable[..., ResponseContext] = attrgetter(f"{self.resource}.with_streaming_response.create")(client)
        return create

    async def stream(self, request: GenerationRequest) -> AsyncGenerator[bytes, None]:
        """See `Provider.stream`. The connection closes when this generator ends, however it ends."""
        began = False
        try:
            body = encode(self.dialect, self._completed(request))
            client = await self._client()
            async with self._open(client, body) as response:
                began = True
                if (content := self._content(response)) is None:
                    async for chunk in response.iter_bytes():
                        yield chunk
                    return
                with Body(content, self.options.timeout) as whole:
                    while chunk := await whole.read():
                        yield chunk
        except Exception as exc:
            # `from None`, because a traceback would print the SDK's message, which may contain the key
            raise self._translated(exc, began=began) from None

    def _content(self, response: Any) -> Content | None:
        """Returns the body behind the response; None if the response must read it itself."""
        return content_of(response)

    def _completed(self, request: GenerationRequest) -> GenerationRequest:
        """Returns the request with the provider's defaults, and with its choice about the prompt cache."""
        chosen = self.options.prompt_cache
        uses_cache = self.marks_for_all or self._is_vendors_own if chosen is None else chosen
        return msgspec.structs.replace(with_defaults(request, self.options), uses_cache=uses_cache)

    async def _client(self) -> Any:
        """Returns the client. A thread makes it: the import of an SDK would block all streams for a second."""
        async with self._connecting:
            if self._connected is None:
                self._connected = await asyncio.to_thread(self._connect)
            return self._connected[1]

    def _translated(self, exc: Exception, *, began: bool) -> ProviderError:
        """Turns an SDK's exception into ours. No other code does this."""
        if self._connected is not None:
            import aiohttp
            import httpx2

            sdk = self._connected[0]
            if isinstance(exc, sdk.APIStatusError):
                return from_status(exc.status_code, exc.body, exc.response.headers)
            if isinstance(exc, (sdk.APIConnectionError, httpx2.RequestError, aiohttp.ClientError, TimeoutError)):
                return from_transport(exc, began=began)
        return ProviderError("internal", redact(f"{type(exc).__name__}: {exc}"))

    async def close(self) -> None:
        """See `Provider.close`."""
        if self._connected is not None:
            await self._connected[1].close()

    @classmethod
    def check(cls, alias: str, options: Mapping[str, Any]) -> list[Problem]:
        """See `Provider.check`. The SDK need not be installed."""
        hint = install(cls.sdk_name)
        missing = missing_extra(alias, cls.sdk_name, hint) or missing_extra(alias, "aiohttp", hint)
        return [*missing, *option_problems(cls.sdk_name, alias, options)]


def client_arguments(sdk: ModuleType, options: SDKOptions) -> dict[str, Any]:
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


def is_loopback(url: str | None) -> bool:
    """Returns True for a server on this machine, which a proxy named in the environment cannot reach."""
    return urlsplit(url or "").hostname in ("127.0.0.1", "localhost", "::1")


def option_problems(sdk_name: str, alias: str, options: Mapping[str, Any]) -> list[Problem]:
    """Returns the problems of the options alone, for the vendor of the SDK `sdk_name`."""
    return [
        *problems(SDKOptions, alias, options),
        *missing_model(alias, options),
        *wrong_url(alias, options),
        *_empty_key(sdk_name, alias, options),
    ]


def _empty_key(sdk_name: str, alias: str, options: Mapping[str, Any]) -> list[Problem]:
    """Returns a problem if there is no key. A server at `base_url` may need none; the vendor always needs one."""
    has = [options.get("api_key"), options.get("base_url")]
    variables = [variable(sdk_name, name) for name in ("API_KEY", "BASE_URL")]
    if any(has) or any(os.environ.get(name) for name in variables):
        return []
    hint = f'Set OPTIONS["api_key"], or the environment variable {variables[0]}.'
    return [Problem("empty_key", f"Provider {alias!r} has no API key.", hint)]


def variable(sdk_name: str, suffix: str) -> str:
    """Returns the name of a vendor's environment variable, for example `OPENAI_API_KEY`."""
    return f"{sdk_name.upper()}_{suffix}"
