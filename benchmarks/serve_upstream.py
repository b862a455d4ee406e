"""The two plain ways to read a provider: its SDK, and an HTTP client that passes the bytes on."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
from openai import AsyncOpenAI

PROVIDER_URL = os.environ.get("BENCH_PROVIDER_URL", "http://127.0.0.1:9/v1")
MESSAGES: Any = [{"role": "user", "content": "Hi"}]


@functools.cache
def client() -> AsyncOpenAI:
    return AsyncOpenAI(base_url=PROVIDER_URL, api_key="none", max_retries=0)


@functools.cache
def session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))


async def sdk_chunks(model: str) -> AsyncIterator[str]:
    """Iterates the SDK's stream and yields each chunk as an event."""
    stream = await client().chat.completions.create(model=model, messages=MESSAGES, stream=True)
    async for chunk in stream:
        if chunk.choices and chunk.choices[0].delta.content:
            yield f"data: {json.dumps({'text': chunk.choices[0].delta.content})}\n\n"
    yield "data: [DONE]\n\n"


async def relayed(model: str) -> AsyncIterator[bytes]:
    """Passes the provider's bytes on."""
    body = {"model": model, "stream": True, "messages": MESSAGES}
    async with session().post(f"{PROVIDER_URL}/chat/completions", json=body) as response:
        async for data in response.content.iter_any():
            yield data
