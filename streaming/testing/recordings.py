"""Records what a real provider sends, once, and replays it in tests.

await record("tests/recordings/paris.sse", "What is the capital of France?", alias="gpt")   # asks the provider

with replayed("tests/recordings/paris.sse", dialect="openai-chat"):                         # asks nobody
    result = await chat("What is the capital of France?")
"""

from __future__ import annotations

import asyncio
import re
from contextlib import AbstractContextManager, aclosing
from pathlib import Path
from typing import Any

from streaming.protocol import GenerationRequest, TextPart, Turn
from streaming.providers import options_of, provider_class
from streaming.providers.redact import mask
from streaming.testing.scripts import scripted

PRIVATE = re.compile(r'("(?:organization|user|safety_identifier|prompt_cache_key)"\s*:\s*)"[^"]*"')
"""Fields of the vendors' bodies that name an account, with their values."""


async def record(path: str | Path, prompt: str, *, alias: str = "default", **fields: Any) -> Path:
    """Asks provider `alias` and stores the body of its response, as it arrived, at `path`. Returns the path.

    Keys, and values that name an account, are masked; the rest is stored unchanged. `fields` are those of
    `streaming.protocol.GenerationRequest`, such as `tools`. The request costs what the provider charges.

    Raises:
        ProviderError: the provider refuses or breaks off. Nothing is stored then.
    """
    request = GenerationRequest(turns=(Turn(role="user", parts=(TextPart(text=prompt),)),), **fields)
    provider = provider_class(alias)(**options_of(alias))
    try:
        async with aclosing(provider.stream(request)) as body:
            received = b"".join([chunk async for chunk in body])
    finally:
        await provider.close()
    text = mask(received.decode("utf-8", "surrogateescape"))  # any bytes can be recorded
    return await asyncio.to_thread(_store, Path(path), PRIVATE.sub(r'\1"masked"', text))


def _store(target: Path, body: str) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(body.encode("utf-8", "surrogateescape"))
    return target


def replayed(path: str | Path, *, alias: str = "default", **options: Any) -> AbstractContextManager[None]:
    """Makes provider `alias` replay the recording at `path`. See `scripted` for the options; `dialect` is one."""
    return scripted(alias, recording=str(path), **options)
