"""The bodies of the responses that Django's test client gets."""

from __future__ import annotations

from typing import Any

from asgiref.sync import sync_to_async


async def body_of(response: Any) -> bytes:
    """Reads the whole body, also of a stream. Closes the response, as a server does."""
    if not response.streaming:
        return bytes(response.content)
    content = b"".join([piece async for piece in response.streaming_content])
    await sync_to_async(response.close)()
    return content
