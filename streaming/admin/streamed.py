"""Files that the admin makes piece by piece, so that memory does not grow with the number of rows."""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator, Iterable, Iterator
from contextlib import suppress
from typing import Any

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, StreamingHttpResponse

BYTES_PER_PIECE = 64 * 1024


def file_response(request: HttpRequest, texts: Iterable[str], media_type: str, name: str) -> StreamingHttpResponse:
    """Returns the response that downloads the texts as one file."""
    pieces = _joined(texts)
    content: Any = _Pieces(pieces) if isinstance(request, ASGIRequest) else pieces
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-store"}
    return StreamingHttpResponse(content, content_type=media_type, headers=headers)


def _joined(texts: Iterable[str]) -> Generator[bytes]:
    """Yields the texts in pieces of about `BYTES_PER_PIECE`."""
    waiting: list[bytes] = []
    size = 0
    for text in texts:
        waiting.append(text.encode())
        size += len(waiting[-1])
        if size >= BYTES_PER_PIECE:
            yield b"".join(waiting)
            waiting, size = [], 0
    if waiting:
        yield b"".join(waiting)


class _Pieces:
    """Pieces that are read on the request's thread. Django itself would read all of them before it sends the first.

    All of them need one thread, because a cursor of the database belongs to its connection. Django calls `close` on
    that thread at the end of the response.
    """

    def __init__(self, pieces: Generator[bytes]) -> None:
        self._pieces: Iterator[bytes] = pieces
        self._close = pieces.close

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while (piece := await self._next()) is not None:
            yield piece

    @sync_to_async
    def _next(self) -> bytes | None:
        return next(self._pieces, None)

    def close(self) -> None:
        with suppress(ValueError):  # it is being read at this moment, and nobody reads it again
            self._close()
