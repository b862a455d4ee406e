"""The views that `benchmarks.serve` compares the app with. Tutorials show such views."""

from __future__ import annotations

import functools
import json
from collections.abc import AsyncIterator

import aiohttp
from django.conf import settings
from django.http import HttpRequest, StreamingHttpResponse
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt
from openai import AsyncOpenAI

MESSAGES = [{"role": "user", "content": "Hi"}]


@functools.cache
def client() -> AsyncOpenAI:
    return AsyncOpenAI(base_url=settings.PROVIDER_URL, api_key="none", max_retries=0)


@functools.cache
def session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))


async def sdk_chunks() -> AsyncIterator[str]:
    stream = await client().chat.completions.create(model="bench", messages=MESSAGES, stream=True)  # type: ignore[call-overload]
    async for chunk in stream:
        if chunk.choices and chunk.choices[0].delta.content:
            yield f"data: {json.dumps({'text': chunk.choices[0].delta.content})}\n\n"
    yield "data: [DONE]\n\n"


async def raw_bytes() -> AsyncIterator[bytes]:
    body = {"model": "bench", "stream": True, "messages": MESSAGES}
    async with session().post(f"{settings.PROVIDER_URL}/chat/completions", json=body) as response:
        async for data in response.content.iter_any():
            yield data


@csrf_exempt
async def textbook(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(sdk_chunks(), content_type="text/event-stream")


@csrf_exempt
async def relay(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(raw_bytes(), content_type="text/event-stream")


urlpatterns = [path("textbook", textbook), path("relay", relay), path("", include("streaming.urls"))]
