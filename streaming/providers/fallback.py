"""Fallback: the providers that one answer may ask, one after the other, until one of them says its first word.

    "default": {"BACKEND": …, "OPTIONS": …, "FALLBACK": ["claude", "ours"]}

Only the list of the alias that is asked counts; the lists of its fallbacks are not followed. So two providers may stand
in for each other. The caller says what came of each try. It must not go on once readers have seen a word.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import msgspec

from streaming.conf import settings
from streaming.errors import RETRYABLE, ProviderError
from streaming.protocol import GenerationRequest
from streaming.protocol.storable import storable
from streaming.providers.base import Provider
from streaming.providers.breaker import Permit, breaker_of
from streaming.providers.registry import get_provider, origin_of
from streaming.records import Tried

GOES_ON = RETRYABLE | {"authentication", "permission", "model_not_found", "not_a_stream", "truncated"}
"""The codes of failures after which another provider may answer. The others are the request's own fault."""

HARMS = frozenset(
    {"unreachable", "timeout", "timeout_first_delta", "overloaded", "connection_lost", "not_a_stream", "truncated"}
)
"""The codes that alone show that the provider is not well. `rate_limited` is not one of them: such a provider
answers at once, and the limit may be due to one large request."""

REFUSED = "The breaker of {} is open: it failed too often. It is asked again in a while."
LEAST_SECONDS = 1.0
"""The shortest time that a provider gets for its first byte."""

MAX_TRIED = 30
"""The most tries that a row names."""


class Route:
    """The providers of one generation. `alias` and `provider` are the one that is asked now, or was asked last."""

    def __init__(self, alias: str, fallback: tuple[str, ...] = ()) -> None:
        self.tried: list[Tried] = []
        self._aliases = (alias, *fallback)
        self._at = 0
        self._asked_at = self._ends_at = 0.0
        self._permit: Permit | None = None
        self._harmed: list[str] = []

    @property
    def alias(self) -> str:
        return self._aliases[self._at]

    @property
    def provider(self) -> Provider:
        return get_provider(self.alias)

    @property
    def origin(self) -> str:
        """The origin of the provider that is asked now, as its parts have it in `origin`."""
        return origin_of(self.provider, self.alias)

    def start(self) -> None:
        """Goes to the first provider, with the whole time budget."""
        self._at = 0
        self._ends_at = time.monotonic() + settings.FALLBACK_SECONDS

    def start_again(self) -> bool:
        """Goes to the first provider for a further try. Returns False if no time is left or nobody may be asked."""
        self._at = 0
        has_time = len(self._aliases) == 1 or time.monotonic() < self._ends_at
        return has_time and any(breaker_of(alias).admits for alias in self._aliases)

    def stay(self) -> None:
        """Forgets the other providers: what the answer has so far belongs to this one."""
        self._aliases, self._at = (self.alias,), 0

    def admit(self) -> None:
        """Begins a try: of this provider, or else of the first one after it whose breaker gives a permit.

        Raises:
            ProviderError: no breaker gives one. The code is `unreachable`, and the request was not sent.
        """
        self._permit = breaker_of(self.alias).admit()
        while self._permit is None:
            self.tried.append(Tried(self.alias, outcome="breaker"))
            if self._at + 1 == len(self._aliases):
                raise ProviderError("unreachable", REFUSED.format(self.alias))
            self._at += 1
            self._permit = breaker_of(self.alias).admit()
        self._asked_at = time.monotonic()
        self.tried.append(Tried(self.alias, self.provider.model))

    def stream(self, request: GenerationRequest) -> AsyncGenerator[bytes, None]:
        """Streams like `Provider.stream`. While others could be asked, this one has a share of the time to begin."""
        others = len(self._others)
        body = self.provider.stream(request)
        if not others:
            return body
        share = (self._ends_at - time.monotonic()) / (1 + others)
        return _beginning_within(max(share, LEAST_SECONDS), body)

    def answered(self) -> None:
        """Says that readers see something of the answer, or that it is complete. Later calls change nothing."""
        if self._permit is not None:
            self._permit.succeeded()
            self._end("answered")

    def failed(self, code: str, detail: str = "", *, is_harm: bool = False) -> None:
        """Says that the try failed before the first word. `is_harm` says that the provider is not well.

        A generation counts once for a breaker, however often it tries.
        """
        if self._permit is not None:
            harms = (is_harm or code in HARMS) and self.alias not in self._harmed
            if harms:
                self._harmed.append(self.alias)
                self._permit.failed()
            self._permit.dropped()
            self._end(code, detail)

    def dropped(self) -> None:
        """Says that the try was stopped. It says nothing about the provider."""
        if self._permit is not None:
            self._permit.dropped()
            self._end("stopped")

    def _end(self, outcome: str, detail: str = "") -> None:
        self._permit = None
        last = self.tried[-1]
        last.outcome, last.detail = outcome, detail
        last.ms = round(1000 * (time.monotonic() - self._asked_at))

    def goes_on(self, code: str) -> bool:
        """Goes to the next provider after a failure before the first word. Returns False if nobody is left to ask."""
        if code not in GOES_ON or not self._others or time.monotonic() >= self._ends_at:
            return False
        self._at += 1
        return True

    @property
    def _others(self) -> list[str]:
        """The providers after this one that may be asked now."""
        return [alias for alias in self._aliases[self._at + 1 :] if breaker_of(alias).admits]

    def record(self) -> list[dict[str, Any]] | None:
        """Returns the tries for the row; None if there was only one and no breaker was open."""
        shown = [one for at, one in enumerate(self.tried) if not (at and _repeats(one, self.tried[at - 1]))]
        if len(shown) < 2 and not any(one.outcome == "breaker" for one in shown):
            return None
        kept = [*shown[: MAX_TRIED - 1], *shown[MAX_TRIED - 1 :][-1:]]
        rows: list[dict[str, Any]] = storable(msgspec.to_builtins(kept))
        return rows


def _repeats(one: Tried, before: Tried) -> bool:
    """Returns True for a further step of the provider that has answered."""
    return one.outcome == before.outcome == "answered" and one.provider == before.provider


def route_to(alias: str, *, stays: bool = False) -> Route:
    """Returns the route of provider `alias`. With `stays` it has no fallback.

    Raises:
        BadRequest: there is no such alias.
        ImproperlyConfigured: its entry in the settings is wrong.
    """
    get_provider(alias)
    fallback = () if stays else settings.PROVIDERS[alias].get("FALLBACK", ())
    return Route(alias, tuple(one for one in fallback if one in settings.PROVIDERS))


async def _beginning_within(seconds: float, body: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """Yields `body`.

    Raises:
        ProviderError: its first chunk does not come within `seconds`. The code is `timeout`.
    """
    async with aclosing(body):
        first = await _first_within(seconds, body)
        if first is None:
            return
        yield first
        async for chunk in body:
            yield chunk


async def _first_within(seconds: float, body: AsyncGenerator[bytes, None]) -> bytes | None:
    limit = asyncio.timeout(seconds)
    try:
        async with limit:
            return await anext(body, None)
    except TimeoutError as late:
        raise ProviderError("timeout", f"nothing for {seconds:.1f} seconds, and another provider is there") from late
    finally:
        del limit  # it refers to the task, whose exception would keep this frame in memory
