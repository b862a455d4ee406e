"""The common part of the providers for the vendors' APIs, with or without an SDK: options, stream and errors."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractAsyncContextManager
from types import ModuleType
from typing import Any, ClassVar
from urllib.parse import SplitResult, urlsplit

import msgspec

from streaming.conf import Count, Seconds
from streaming.errors import ProviderError
from streaming.protocol import DialectName, GenerationRequest, encode
from streaming.protocol.requests import Way
from streaming.providers.base import Problem
from streaming.providers.body import Body
from streaming.providers.options import Options, missing_model, problems, read, with_defaults, wrong_url
from streaming.providers.redact import redact

CONNECT_SECONDS = 10


class VendorOptions(Options, frozen=True, kw_only=True):
    """The options of these providers. `timeout` is the longest silence in seconds; 600 is the SDKs' own default.

    `max_retries` counts the attempts after the first. They multiply those of `STREAMING_PROVIDER_RETRIES`, which also
    repeats requests after errors that arrive inside a stream. `prompt_cache` says if requests are marked for the
    vendor's prompt cache; None leaves it to the class.
    """

    api_key: str | None = None
    base_url: str | None = None
    prompt_cache: bool | None = None
    timeout: Seconds = 600
    max_retries: Count = 0
    headers: dict[str, str] = {}


class VendorProvider:
    """A `Provider` on one client, which is made at the first request. A subclass makes it and calls the API."""

    dialect: DialectName
    vendor: ClassVar[str]
    """The name of the vendor's SDK. The names of its environment variables begin with it, too."""
    default_host: ClassVar[str]
    """The host that is asked if no `base_url` is set."""
    resource: ClassVar[str]
    """The API: its path, or the attribute of an SDK's client that has it, for example `chat.completions`."""
    marks_for_all: ClassVar[bool] = False
    """True if compatible servers may be sent the marks of the prompt cache. Otherwise only the vendor is."""

    def __init__(self, **options: Any) -> None:
        self.options = read(VendorOptions, options)
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
        return urlsplit(self.options.base_url or os.environ.get(variable(self.vendor, "BASE_URL")) or "")

    @property
    def _is_vendors_own(self) -> bool:
        """True if the vendor itself is asked, also at a regional host such as `eu.api.openai.com`."""
        host = self._address.hostname or self.default_host
        return host == self.default_host or host.endswith(f".{self.default_host}")

    @property
    def structured(self) -> Way:
        """The way in which an object is asked for. Many compatible servers have tools, but no mode for a schema."""
        return self.options.structured or ("schema" if self._is_vendors_own else "tool")

    async def stream(self, request: GenerationRequest) -> AsyncGenerator[bytes, None]:
        """See `Provider.stream`. The connection closes when this generator ends, however it ends."""
        began = False
        try:
            client = await self._client()
            async with await self._open(client, encode(self.dialect, self._completed(request))) as response:
                began = True
                if hasattr(response, "aiter_bytes"):  # an SDK's own, which must read the body itself
                    async for chunk in response.aiter_bytes():
                        yield chunk
                    return
                with Body(response, self.options.timeout) as whole:
                    while chunk := await whole.read():
                        yield chunk
        except Exception as exc:
            # `from None`, because a traceback would print the transport's message, which may contain the key
            raise self._translated(exc, began=began) from None

    async def _connect(self) -> tuple[ModuleType, Any]:
        """Imports the package with the client, in a thread, because that would block all streams. Makes the client."""
        raise NotImplementedError

    async def _open(self, client: Any, body: dict[str, Any]) -> AbstractAsyncContextManager[Any]:
        """Returns the context of the response to `body`, complete wire JSON: aiohttp's response, or an SDK's own."""
        raise NotImplementedError

    def _translated(self, exc: Exception, *, began: bool) -> ProviderError:
        """Turns an exception into ours. No other code does this."""
        if isinstance(exc, ProviderError):
            return exc
        error = self._error_for(self._connected[0], exc, began=began) if self._connected else None
        return error or ProviderError("internal", redact(f"{type(exc).__name__}: {exc}"))

    def _error_for(self, package: ModuleType, exc: Exception, *, began: bool) -> ProviderError | None:
        """Returns the error for an exception of the package with the client; None for any other."""
        raise NotImplementedError

    def _completed(self, request: GenerationRequest) -> GenerationRequest:
        """Returns the request with the provider's defaults, and with its choice about the prompt cache."""
        chosen = self.options.prompt_cache
        uses_cache = self.marks_for_all or self._is_vendors_own if chosen is None else chosen
        return msgspec.structs.replace(with_defaults(request, self.options), uses_cache=uses_cache)

    async def _client(self) -> Any:
        async with self._connecting:
            if self._connected is None:
                self._connected = await self._connect()
            return self._connected[1]

    async def close(self) -> None:
        """See `Provider.close`."""
        if self._connected is not None:
            await self._connected[1].close()


def is_loopback(url: str | None) -> bool:
    """Returns True for a server on this machine, which a proxy named in the environment cannot reach."""
    return urlsplit(url or "").hostname in ("127.0.0.1", "localhost", "::1")


def option_problems(vendor: str, alias: str, options: Mapping[str, Any]) -> list[Problem]:
    """Returns the problems of the options alone, for a vendor."""
    return [
        *problems(VendorOptions, alias, options),
        *missing_model(alias, options),
        *wrong_url(alias, options),
        *_empty_key(vendor, alias, options),
    ]


def _empty_key(vendor: str, alias: str, options: Mapping[str, Any]) -> list[Problem]:
    """Returns a problem if there is no key. A server at `base_url` may need none; the vendor always needs one."""
    has = [options.get("api_key"), options.get("base_url")]
    variables = [variable(vendor, name) for name in ("API_KEY", "BASE_URL")]
    if any(has) or any(os.environ.get(name) for name in variables):
        return []
    hint = f'Set OPTIONS["api_key"], or the environment variable {variables[0]}.'
    return [Problem("empty_key", f"Provider {alias!r} has no API key.", hint)]


def variable(vendor: str, suffix: str) -> str:
    """Returns the name of a vendor's environment variable, for example `OPENAI_API_KEY`."""
    return f"{vendor.upper()}_{suffix}"
