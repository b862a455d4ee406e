"""The provider on the local model: it finds or starts the child process and speaks to it like to a vendor."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from pathlib import Path
from typing import Any

import msgspec

from streaming.errors import ProviderError
from streaming.protocol import GenerationRequest
from streaming.providers.anthropic import Messages
from streaming.providers.base import Problem
from streaming.providers.local.options import NEEDS, LocalOptions, default_name, packaged_weights, template_of
from streaming.providers.local.parent import LocalServer, Progress, ServerOptions, logger
from streaming.providers.openai import ChatCompletions, Responses
from streaming.providers.options import missing_extra, problems, read, with_defaults
from streaming.providers.sdk import SDKProvider

DIALECTS: dict[str, tuple[type[SDKProvider], str]] = {
    "openai-chat": (ChatCompletions, "/v1"),
    "openai-responses": (Responses, "/v1"),
    "anthropic-messages": (Messages, ""),
}
"""Who speaks each dialect, and the path their SDK expects the server at."""

STALE = frozenset({"unreachable", "authentication"})
"""Answers that mean: this child is gone, and perhaps another has its port."""

AGAINST_LOOPS = {"repeat_penalty": 1.1, "dry_multiplier": 0.8}
"""llama.cpp's samplers that keep the packaged model from repeating a line to the end. Not for tool calls, whose
arguments repeat what was said."""

PAUSES = (0.1, 1.0, None)
"""Seconds to wait before a dead child is looked for again: while it is still dying, its lock says that it lives."""


class LocalModel:
    """The model, started at the first request or by `ensure_started`, and started again if it died."""

    def __init__(self, **options: Any) -> None:
        self.options = read(LocalOptions, options)
        self.dialect = self.options.dialect
        self.parser_options = self.options.parser
        self.model = self.options.model or default_name(self.options)
        self._starting = asyncio.Lock()
        self._connected: SDKProvider | None = None

    async def ensure_started(self, progress: Progress = logger.info) -> None:
        """Load the model if no process did. `progress` is called, in a thread, with lines for people.

        Raises:
            ProviderError: something is not installed, or the model does not load; the detail says what to do.
        """
        await self._connection(progress)

    async def stream(self, request: GenerationRequest) -> AsyncGenerator[bytes, None]:
        """See `Provider.stream`. A child found dead before its first byte is replaced."""
        began, asked = False, self._asked(request)
        for pause in PAUSES:
            connection = await self._connection(logger.info)
            try:
                async with aclosing(connection.stream(asked)) as chunks:
                    async for chunk in chunks:
                        began = True
                        yield chunk
                return
            except ProviderError as exc:
                if began or pause is None or exc.code not in STALE:
                    raise
            await self._forget(connection)
            await asyncio.sleep(pause)

    def _asked(self, request: GenerationRequest) -> GenerationRequest:
        asked = with_defaults(request, self.options)
        rambles = self.options.model_path is None and not asked.tools
        return msgspec.structs.replace(asked, extra=AGAINST_LOOPS | asked.extra) if rambles else asked

    async def _connection(self, progress: Progress) -> SDKProvider:
        async with self._starting:
            if self._connected is None:
                self._connected = await asyncio.to_thread(self._connect, progress)
            return self._connected

    def _connect(self, progress: Progress) -> SDKProvider:
        """Blocks while the model loads."""
        address = server_for(self.options, self.model).ensure(progress)
        speaker, path = DIALECTS[self.dialect]
        return speaker(
            model=self.model,
            base_url=address.url + path,
            api_key=address.api_key,
            timeout=self.options.timeout,
            max_retries=0,
        )

    async def _forget(self, connection: SDKProvider) -> None:
        if self._connected is connection:
            self._connected = None
            await connection.close()

    async def close(self) -> None:
        """See `Provider.close`. The model stays loaded for others, and for `grace` seconds."""
        if self._connected is not None:
            await self._forget(self._connected)

    @classmethod
    def check(cls, alias: str, options: Mapping[str, Any]) -> list[Problem]:
        """See `Provider.check`."""
        return [problem for look in (_options, *NEEDS, _sdk) for problem in look(alias, options)]


def server_for(options: LocalOptions, alias: str) -> LocalServer:
    """The child for these options.

    Raises:
        ProviderError: what it needs is not installed.
    """
    named = {"model_path": options.model_path, "chat_template": options.chat_template}
    for look in NEEDS:
        for problem in look("local", named):
            raise ProviderError("model_not_found", f"{problem.message} {problem.hint}")
    server_options = ServerOptions(
        model_path=str(Path(options.model_path or packaged_weights() or "").resolve()),
        alias=alias,
        chat_template=template_of(options),
        n_ctx=options.n_ctx,
        n_parallel=options.n_parallel,
        n_threads=options.n_threads,
    )
    return LocalServer(server_options, grace=options.grace, start_timeout=options.start_timeout)


def _options(alias: str, options: Mapping[str, Any]) -> list[Problem]:
    return problems(LocalOptions, alias, options)


def _sdk(alias: str, options: Mapping[str, Any]) -> list[Problem]:
    name = DIALECTS.get(options.get("dialect", "openai-chat"), DIALECTS["openai-chat"])[0].sdk_name
    return missing_extra(alias, name, f"Run: pip install 'django-llm-streaming[{name}]'")
