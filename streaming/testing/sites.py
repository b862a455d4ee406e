"""Talks to the project's own views and sockets in the test's process, without a server.

stream = EventStream(client)                          # Django's AsyncClient, signed in or not
chunks = await stream.send("Hi", key="c1")

async with Socket(client) as socket:
    chunks = await socket.send("Hi", key="c1")
"""

from __future__ import annotations

import uuid
from typing import Any, Self

import msgspec
from channels.testing import WebsocketCommunicator
from django.http import StreamingHttpResponse
from django.test import AsyncClient
from django.urls import reverse

from streaming.protocol import SSEDecoder
from streaming.routing import websockets

SECONDS = 10
"""A test waits so long for the next frame of a socket."""
HINTS = dict.fromkeys((401, 4401), " Sign the client in: await client.aforce_login(user).")
"""What a test has to do after a refusal, by the status or the close code."""


class EventStream:
    """The HTTP API with Server-Sent Events, as the person behind `client`."""

    def __init__(self, client: AsyncClient) -> None:
        self.client = client

    async def send(self, prompt: str, *, key: str = "test", **fields: Any) -> list[dict[str, Any]]:
        """Posts a message and returns all UI chunks of the answer. `fields` go into the body.

        Raises:
            AssertionError: the answer is not a stream. The message has the status and the body.
        """
        body = {"id": key, "prompt": prompt, **fields}
        return await self._chunks(await self.client.post(reverse("streaming:api_chat"), body, "application/json"))

    async def resume(self, key: str = "test", *, after: int = 0) -> list[dict[str, Any]]:
        """Returns the UI chunks after number `after` of the answer that runs. Empty if none runs."""
        path = reverse("streaming:api_stream", args=[key])
        response = await self.client.get(path, {"after": after})
        return [] if response.status_code == 204 else await self._chunks(response)

    async def stop(self, key: str = "test") -> dict[str, Any]:
        """Stops the answer that runs, and returns what the server says of it."""
        response = await self.client.post(reverse("streaming:api_stop", args=[key]))
        return msgspec.json.decode(response.content, type=dict[str, Any])

    async def _chunks(self, response: Any) -> list[dict[str, Any]]:
        if not isinstance(response, StreamingHttpResponse):
            status, text = response.status_code, response.content.decode(errors="replace")
            raise AssertionError(f"Status {status}: {text}{HINTS.get(status, '')}")
        decoder = SSEDecoder()
        events = [event async for chunk in aiter(response) for event in decoder.feed(chunk)]
        return [msgspec.json.decode(event.data) for event in events if event.data != "[DONE]"]


class Socket:
    """The WebSocket of the person behind `client`. Use it as an asynchronous context."""

    def __init__(self, client: AsyncClient, *, path: str = "/ws/chat/") -> None:
        cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())
        headers = [(b"host", b"testserver"), (b"origin", b"http://testserver"), (b"cookie", cookies.encode())]
        self._communicator = WebsocketCommunicator(websockets, path, headers=headers)

    async def __aenter__(self) -> Self:
        is_connected, code = await self._communicator.connect(timeout=SECONDS)
        if not is_connected:
            raise AssertionError(f"The socket was refused with code {code}. The site must accept http://testserver.")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._communicator.disconnect()

    async def send(self, prompt: str, *, key: str = "test", **fields: Any) -> list[dict[str, Any]]:
        """Sends a message and returns all UI chunks of its answer."""
        request_id = uuid.uuid4().hex
        message = {"id": uuid.uuid4().hex, "role": "user", "parts": [{"type": "text", "text": prompt}]}
        await self.write(type="send", requestId=request_id, id=key, messages=[message], **fields)
        return [frame["chunk"] for frame in await self.frames(request_id) if frame["type"] == "chunk"]

    async def write(self, **frame: Any) -> None:
        """Sends one frame, such as `type="abort", requestId="r1"`."""
        await self._communicator.send_to(text_data=msgspec.json.encode(frame).decode())

    async def receive(self) -> dict[str, Any]:
        """Reads the next frame of any request.

        Raises:
            AssertionError: the server closes the socket.
            TimeoutError: none came for `SECONDS`.
        """
        event = await self._communicator.receive_output(timeout=SECONDS)
        if event["type"] != "websocket.send":
            code = event.get("code")
            raise AssertionError(f"The socket was closed with code {code}.{HINTS.get(code, '')}")
        return msgspec.json.decode(event["text"], type=dict[str, Any])

    async def frames(self, request_id: str) -> list[dict[str, Any]]:
        """Reads the frames of one request up to its end.

        Raises:
            AssertionError: the server answers with an error.
        """
        frames: list[dict[str, Any]] = []
        while not frames or frames[-1]["type"] not in ("end", "no-active"):
            frame = await self.receive()
            if frame["type"] == "error":
                raise AssertionError(frame["errorText"])
            if frame.get("requestId") == request_id:
                frames.append(frame)
        return frames
