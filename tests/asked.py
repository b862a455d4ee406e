"""Every JSON request that a client can send, each in a form that is accepted, and a client that sends them.

`ANSWER` stands for the id of the newest answer, `KEY` for that of its conversation.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from channels.testing import WebsocketCommunicator
from django.http import HttpResponse
from django.test import AsyncClient

from streaming.consumers import ChatConsumer
from streaming.models import Message
from streaming.supervisor import current
from tests.pictures import PNG, data_url
from tests.responses import body_of
from tests.stepwise import LOCATION, MAIL, says

JSON = Any
KEY, ANSWER = "<key>", "<answer>"
FILE = {"type": "file", "mediaType": "image/png", "filename": "cat.png", "url": data_url(PNG)}
QUESTION = {"id": "q1", "role": "user", "parts": [{"type": "text", "text": "Why?"}, FILE], "metadata": {"a": "b"}}
TOOL = {"type": "tool-x", "input": {"a": "b"}}


def _answered(call_id: str, **fields: JSON) -> JSON:
    part = {"type": "tool-x", "input": {"a": "b"}, "toolCallId": call_id} | fields
    return {"id": KEY, "messages": [QUESTION, {"id": ANSWER, "role": "assistant", "parts": [part]}]}


def _decided(*, approved: bool) -> JSON:
    approval = {"id": "m1", "approved": approved, "reason": "Because."}
    return _answered("m1", state="approval-responded", approval=approval)


class Request(NamedTuple):
    """A request with a body that is accepted. `call` is the call for which the newest answer must wait, if any."""

    path: str
    body: JSON
    call: tuple[str, str, str] | None = None
    method: str = "POST"
    root: str = "/api/chat"


class Given(NamedTuple):
    """A response and its whole body."""

    status: int
    content: bytes
    response: HttpResponse


def _run(call: tuple[str, str, str] | None = None, **fields: JSON) -> Request:
    """A `RunAgentInput` of AG-UI."""
    props = {"provider": "default", "messageId": None, "trigger": "submit-message"}
    named = {"state": {}, "context": [{"description": "a", "value": "b"}], "forwardedProps": props}
    return Request("", {"threadId": KEY, "runId": "r1", "messages": [], **named, **fields}, call, root="/api/agui")


PICTURE = {
    "type": "image",
    "source": {"type": "data", "value": data_url(PNG).partition(",")[2], "mimeType": "image/png"},
}
ASKED = {"id": "q1", "role": "user", "content": [{"type": "text", "text": "Why?"}, PICTURE]}
BROUGHT = {"name": "open_page", "description": "Opens it.", "parameters": {"type": "object", "properties": {}}}
GIVEN = {"id": "t1", "role": "tool", "toolCallId": f"{ANSWER}:l1", "content": "Oslo"}
DECIDED = {"interruptId": f"{ANSWER}:m1", "status": "resolved", "payload": {"approved": False, "reason": "Because."}}

REQUESTS = {
    "prompt": Request(
        "", {"id": KEY, "prompt": "Why?", "files": [FILE], "clientId": "q1", "provider": "default", "messageId": None}
    ),
    "message": Request("", {"id": KEY, "message": QUESTION, "trigger": "submit-message"}),
    "content": Request("", {"id": KEY, "message": {"id": "q1", "role": "user", "content": "Why?"}}),
    "history": Request("", {"id": KEY, "messages": [QUESTION, QUESTION | {"id": "q2"}], "provider": "default"}),
    "edit": Request("", {"id": KEY, "messages": [QUESTION | {"id": "q0"}], "messageId": "q0"}),
    "again": Request("", {"id": KEY, "trigger": "regenerate-message", "messageId": ANSWER, "messages": [QUESTION]}),
    "approved": Request("", _decided(approved=True), MAIL),
    "refused": Request("", _decided(approved=False), MAIL),
    "output": Request("", _answered("l1", state="output-available", output={"city": "Oslo"}), LOCATION),
    "failure": Request("", _answered("l1", state="output-error", errorText="No."), LOCATION),
    "stop": Request("/<key>/stop", {"messageId": ANSWER}),
    "old stop": Request("/<key>/stop", {"assistantMessage": {"id": ANSWER}}),
    "branch": Request("/<key>/branch", {"messageId": ANSWER}),
    "share": Request("/<key>/shares", {"days": 7, "reasoning": True, "tools": True, "files": True, "a": "b"}),
    "run": _run(messages=[{"id": "q0", "role": "user", "content": "Hm."}, ASKED], tools=[BROUGHT]),
    "run again": _run(messages=[ASKED], forwardedProps={"trigger": "regenerate-message", "messageId": ANSWER}),
    "run on": _run(LOCATION, messages=[GIVEN], tools=[BROUGHT]),
    "run after a failure": _run(LOCATION, messages=[GIVEN | {"error": "No."}]),
    "run decided": _run(MAIL, resume=[DECIDED]),
    "feedback": Request("/<key>/messages/<answer>/feedback", {"thumb": "up", "comment": "Good."}, method="PUT"),
}
FRAMES = {
    name: Request("", {"type": "send", "requestId": "r1", "body": {"provider": "default"}, **one.body}, one.call)
    for name, one in REQUESTS.items()
    if not one.path and one.root == "/api/chat"
} | {
    "resume": Request("", {"type": "resume", "requestId": "r1", "id": KEY}),
    "abort": Request("", {"type": "abort", "requestId": "r1", "id": KEY}),
}


def places(body: JSON) -> Iterator[tuple[Any, ...]]:
    """Yields the path of each value within a body, from the body itself on."""
    yield ()
    items = body.items() if isinstance(body, dict) else enumerate(body) if isinstance(body, list) else ()
    for key, inner in items:
        yield from ((key, *path) for path in places(inner))


def at(body: JSON, path: tuple[Any, ...]) -> JSON:
    for key in path:
        body = body[key]
    return body


def put(body: JSON, path: tuple[Any, ...], value: JSON) -> JSON:
    """Returns a copy of `body` with `value` at `path`."""
    if not path:
        return value
    copy = body.copy()
    copy[path[0]] = put(body[path[0]], path[1:], value)
    return copy


class Asker:
    """A visitor who sends requests. Each needs a conversation with one answer, which may wait for a call."""

    def __init__(self, settings: Any) -> None:
        self.client = AsyncClient()
        self.key = self.answer = ""
        self._settings = settings
        self._waits_for: Any = "no conversation yet"
        self._number = 0
        self._socket: WebsocketCommunicator | None = None

    async def prepare(self, call: tuple[str, str, str] | None) -> None:
        """Begins a new conversation, unless the last one still is as a request needs it."""
        if self._waits_for == call:
            return
        self._number += 1
        self.key, self._waits_for = f"c{self._number}", call
        says(self._settings, ("Well?", (call,) if call else ()), ("Done.", ()))
        body = {"id": self.key, "prompt": "Hello?", "clientId": "q0"}
        await self._sent("/api/chat", json.dumps(body))
        self.answer = (await Message.objects.aget(conversation__key=self.key, role="assistant")).public_id

    async def post(self, request: Request, body: JSON) -> Given:
        """Sends a body that was made of `request`, and reads the whole response."""
        await self.prepare(request.call)
        path, text = request.root + self.filled(request.path), self.filled(json.dumps(body))
        response = await self._sent(path, text, request.method)
        if response.status < 300:
            self.forget()
        return response

    async def tell(self, request: Request, frame: JSON) -> list[JSON]:
        """Sends a frame that was made of `request` over a socket, and returns the replies so far."""
        await self.prepare(request.call)
        if self._socket is None:
            self._socket = WebsocketCommunicator(ChatConsumer.as_asgi(), "/ws/chat/")
            self._socket.scope["session"] = await self.client.asession()
            assert (await self._socket.connect())[0]
        last = {"type": "resume", "requestId": "last", "id": "nobody"}
        for text in (self.filled(json.dumps(frame)), json.dumps(last)):
            await self._socket.send_to(text_data=text)
        replies: list[JSON] = []
        while not replies or replies[-1] != {"type": "no-active", "requestId": "last"}:
            replies.append(await self._socket.receive_json_from(30))
        await current().idle()
        if any(reply["type"] == "chunk" for reply in replies) or await self._has_grown():
            self.forget()
        return replies

    def filled(self, text: str) -> str:
        """The text with the ids of the newest answer and of its conversation."""
        return text.replace(KEY, self.key).replace(ANSWER, self.answer)

    def forget(self) -> None:
        """The next request gets a new conversation, because this one has changed."""
        self._waits_for = "a new conversation"

    async def close(self) -> None:
        if self._socket is not None:
            await self._socket.disconnect()

    async def _has_grown(self) -> bool:
        return await Message.objects.filter(conversation__key=self.key).acount() > 2

    async def _sent(self, path: str, body: str, method: str = "POST") -> Given:
        response = await self.client.generic(method, path, body, content_type="application/json")
        given = await read(response)
        await current().idle()
        return given


async def read(response: HttpResponse) -> Given:
    """Reads the whole response."""
    return Given(response.status_code, await body_of(response), response)
