"""The providers without a vendor's SDK: the same three APIs over plain aiohttp. Their `OPTIONS` are `VendorOptions`.

They are for compatible servers, and for sites that want neither the SDKs' size nor their time of import. What a vendor
adds to its SDK alone (further ways to sign in, for example) is not here.
"""

from __future__ import annotations

import asyncio
import importlib
import os
import random
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from types import ModuleType
from typing import Any, ClassVar

import msgspec

from streaming.conf import install
from streaming.errors import ProviderError
from streaming.protocol import DialectName
from streaming.providers.base import DOCUMENTS, Problem
from streaming.providers.betas import beta_headers
from streaming.providers.failures import from_status, from_transport
from streaming.providers.options import missing_extra
from streaming.providers.redact import hide
from streaming.providers.vendor import CONNECT_SECONDS, VendorProvider, is_loopback, option_problems, variable

API_VERSION = "2026-10-21"
"""The version of Anthropic's API that its SDK 2.14 asks for."""

MAX_ERROR_BYTES = 64_000
"""How much of a refusal is read. A vendor's is a few hundred bytes; a proxy's page may have any size."""

# The rules of both SDKs (`_should_retry`, `_calculate_retry_timeout`): which requests are repeated, and after how long.
RETRIED = (408, 409, 429)
FIRST_PAUSE, LONGEST_PAUSE, LONGEST_WISH = 0.5, 8.0, 60.0


class HTTPProvider(VendorProvider):
    """A `Provider` on one aiohttp session. A subclass names the vendor and its address."""

    base_url: ClassVar[str]
    """The address that is asked if the options and the environment name none."""

    fixed_headers: ClassVar[Mapping[str, str]] = {}
    """Headers that the API requires."""

    @classmethod
    def load(cls, options: Mapping[str, Any]) -> None:
        """Imports what the first answer needs."""
        importlib.import_module("aiohttp")

    async def _connect(self) -> tuple[ModuleType, Any]:
        aiohttp: Any = await asyncio.to_thread(importlib.import_module, "aiohttp")
        return aiohttp, self._session(aiohttp)  # it belongs to this event loop

    def _session(self, aiohttp: Any) -> Any:
        key = self.options.api_key or os.environ.get(variable(self.vendor, "API_KEY")) or ""
        hide(key, *self.options.headers.values())
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),  # `STREAMING_MAX_ACTIVE_PER_PROCESS` limits the connections
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS, sock_read=self.options.timeout),
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=not is_loopback(self._url),
            headers={
                "accept": "text/event-stream",
                "accept-encoding": "identity",  # a compressor would hold words back
                "content-type": "application/json",
                **self.fixed_headers,
                **({"authorization": f"Bearer {key}"} if key else {}),
                **self.options.headers,
            },
        )

    @property
    def _url(self) -> str:
        given = self.options.base_url or os.environ.get(variable(self.vendor, "BASE_URL")) or self.base_url
        return f"{given.rstrip('/')}/{self.resource}"

    def _headers(self, body: dict[str, Any]) -> dict[str, str]:
        """Returns the headers that this request needs beside those of the session."""
        return {}

    async def _open(self, client: Any, body: dict[str, Any]) -> AbstractAsyncContextManager[Any]:
        """Sends the request, with the retries that the options allow, and returns the response.

        Raises:
            ProviderError: the last try failed.
        """
        encoded, headers, tries = msgspec.json.encode(body), self._headers(body), 0
        while True:
            try:
                response: Any = await client.post(self._url, data=encoded, headers=headers)
                if response.status < 400:
                    return response  # type: ignore[no-any-return]
                async with response:
                    trouble, may_help = await _refusal(response), _is_retried(response)
            except Exception as broken:
                trouble = self._translated(broken, began=False)
                may_help = trouble.is_retryable
            if tries == self.options.max_retries or not may_help:
                raise trouble
            await asyncio.sleep(_pause(tries, trouble.retry_after))
            tries += 1

    def _error_for(self, package: Any, exc: Exception, *, began: bool) -> ProviderError | None:
        return from_transport(exc, began=began) if isinstance(exc, (package.ClientError, TimeoutError)) else None

    @classmethod
    def check(cls, alias: str, options: Mapping[str, Any]) -> list[Problem]:
        """See `Provider.check`."""
        return [*missing_extra(alias, "aiohttp", install("http")), *option_problems(cls.vendor, alias, options)]


class ChatCompletions(HTTPProvider):
    """The Chat Completions API of OpenAI and most compatible servers: `POST /chat/completions`."""

    dialect: DialectName = "openai-chat"
    vendor = "openai"
    default_host = "api.openai.com"
    base_url = "https://api.openai.com/v1"
    resource = "chat/completions"
    takes = DOCUMENTS


class Responses(ChatCompletions):
    """OpenAI's newer Responses API: `POST /responses`."""

    dialect: DialectName = "openai-responses"
    resource = "responses"


class Messages(HTTPProvider):
    """Anthropic's Messages API: `POST /v1/messages`."""

    dialect: DialectName = "anthropic-messages"
    vendor = "anthropic"
    default_host = "api.anthropic.com"
    base_url = "https://api.anthropic.com"
    resource = "v1/messages"
    takes = DOCUMENTS
    marks_for_all = True

    fixed_headers: ClassVar[Mapping[str, str]] = {"anthropic-version": API_VERSION}

    def _headers(self, body: dict[str, Any]) -> dict[str, str]:
        return beta_headers(body, self.options.headers)


async def _refusal(response: Any) -> ProviderError:
    """Returns the error for a response with a status of 400 or above."""
    raw = b""
    while len(raw) < MAX_ERROR_BYTES and (piece := await response.content.read(MAX_ERROR_BYTES)):
        raw += piece
    try:
        body = msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        body = raw.decode(errors="replace")
    return from_status(response.status, body, response.headers)


def _is_retried(response: Any) -> bool:
    """Returns True if the SDKs would ask again after a response with this status."""
    word = response.headers.get("x-should-retry")
    return word == "true" if word in ("true", "false") else response.status in RETRIED or response.status >= 500


def _pause(tries: int, wished: float | None) -> float:
    """Returns the seconds until the request is sent again: the server's wish if it is sensible, or longer each time."""
    if wished is not None and 0 < wished <= LONGEST_WISH:
        return wished
    pause = min(FIRST_PAUSE * 2.0**tries, LONGEST_PAUSE)
    return pause * random.uniform(0.75, 1)  # noqa: S311  # spreads load, hides nothing
