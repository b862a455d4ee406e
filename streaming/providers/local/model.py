"""The provider for the local model: it finds or starts the child process and sends it requests as to a vendor."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from pathlib import Path
from typing import Any

import msgspec

from streaming.conf import install
from streaming.errors import ProviderError
from streaming.protocol import GenerationRequest, OutputSpec
from streaming.protocol.requests import Way, with_output
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
"""A dialect -> the provider that uses it, and the path at which its SDK expects the server."""

STALE = frozenset({"unreachable", "authentication"})
"""The error codes of a child that is gone; another server may have its port."""

AGAINST_LOOPS = {"repeat_penalty": 1.1, "dry_multiplier": 0.8}
"""llama.cpp's samplers against endless repetition by the packaged model. They do not apply to requests with tools,
because the arguments of a call repeat words of the conversation."""

STRUCTURED: dict[str, Way] = {"openai-chat": "schema", "openai-responses": "schema"}
"""The dialects in which llama.cpp's server takes a JSON schema. It lets the model write nothing else."""

PAUSES = (0.1, 1.0, None)
"""The pauses, in seconds, before the child is searched again. While a killed child still ends, it holds its lock.
After None there is no further try."""


class LocalModel:
    """The local model. The first request or `ensure_started` starts it. If it died, a request starts it again."""

    def __init__(self, **options: Any) -> None:
        self.options = read(LocalOptions, options)
        self.dialect = self.options.dialect
        self.parser_options = self.options.parser
        self.model = self.options.model or default_name(self.options)
        self.structured: Way = self.options.structured or STRUCTURED.get(self.dialect, "prompt")
        self._starting = asyncio.Lock()
        self._connected: SDKProvider | None = None

    async def ensure_started(self, progress: Progress = logger.info) -> None:
        """Loads the model unless it is loaded. `progress` is called in a thread with lines for people.

        Raises:
            ProviderError: a package is missing, or the model does not load. The detail says what to do.
        """
        await self._connection(progress)

    async def stream(self, request: GenerationRequest) -> AsyncGenerator[bytes, None]:
        """See `Provider.stream`. If the child is dead before the first byte, a new one is started."""
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
        if asked.output is not None:
            return _constrained(asked, asked.output)
        rambles = self.options.model_path is None and not asked.tools
        return msgspec.structs.replace(asked, extra=AGAINST_LOOPS | asked.extra) if rambles else asked

    async def _connection(self, progress: Progress) -> SDKProvider:
        async with self._starting:
            if self._connected is None:
                self._connected = await asyncio.to_thread(self._connect, progress)
            return self._connected

    def _connect(self, progress: Progress) -> SDKProvider:
        """Returns a provider that talks to the child. Blocks while the model loads."""
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
        """See `Provider.close`. The model stays loaded while others use it, and for `grace` seconds more."""
        if self._connected is not None:
            await self._forget(self._connected)

    @classmethod
    def load(cls, options: Mapping[str, Any]) -> None:
        """Imports the SDK of the dialect. Does not start the child."""
        speaker, _ = DIALECTS[read(LocalOptions, options).dialect]
        speaker.load({"model": "local", "base_url": "http://127.0.0.1"})

    @classmethod
    def check(cls, alias: str, options: Mapping[str, Any]) -> list[Problem]:
        """See `Provider.check`."""
        return [problem for check in (_options, *NEEDS, _sdk) for problem in check(alias, options)]


def _constrained(request: GenerationRequest, output: OutputSpec) -> GenerationRequest:
    """Returns the request with the schema for llama.cpp, which refuses it beside tools. There the prompt has it."""
    if request.tools:
        return with_output(request, "prompt")
    return msgspec.structs.replace(request, output=None, extra={"json_schema": output.strict} | request.extra)


def server_for(options: LocalOptions, alias: str) -> LocalServer:
    """Returns the server for these options. It is not started yet.

    Raises:
        ProviderError: a package or a file is missing.
    """
    named = {"model_path": options.model_path, "chat_template": options.chat_template}
    for check in NEEDS:
        for problem in check("local", named):
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
    name = DIALECTS.get(options.get("dialect", "openai-chat"), DIALECTS["openai-chat"])[0].vendor
    return missing_extra(alias, name, install(name))
