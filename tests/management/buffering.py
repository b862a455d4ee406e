"""Middleware that spoils streams, each in its own way."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from django.http import HttpRequest, HttpResponseRedirect, StreamingHttpResponse
from django.utils.decorators import async_only_middleware

GetResponse = Callable[[HttpRequest], Awaitable[Any]]


def _changing(change: Callable[[StreamingHttpResponse], None]) -> Any:
    @async_only_middleware
    def middleware(get_response: GetResponse) -> GetResponse:
        async def handle(request: HttpRequest) -> Any:
            response = await get_response(request)
            if response.streaming:
                change(response)
            return response

        return handle

    return middleware


async def _joined(content: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield b"".join([piece async for piece in content])


async def _zipped(content: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    async for piece in content:
        yield gzip.compress(piece)


async def _first_two(content: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    async for piece in content:
        yield piece
        if b"id: 2\n" in piece:
            return


async def _late(content: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    async for piece in content:
        await asyncio.sleep(0.7 if b"id: 7\n" in piece else 0)
        yield piece


def _set(response: StreamingHttpResponse, change: Callable[[AsyncIterator[bytes]], AsyncIterator[bytes]]) -> None:
    response.streaming_content = change(response.streaming_content)  # type: ignore[assignment,arg-type]


def _zip(response: StreamingHttpResponse) -> None:
    _set(response, _zipped)
    response.headers["Content-Encoding"] = "gzip"


buffers = _changing(lambda response: _set(response, _joined))
compresses = _changing(_zip)
cuts = _changing(lambda response: _set(response, _first_two))
delays = _changing(lambda response: _set(response, _late))


@async_only_middleware
def redirects(get_response: GetResponse) -> GetResponse:
    async def handle(request: HttpRequest) -> Any:
        return HttpResponseRedirect("/elsewhere")

    return handle
