"""A process that has answered before makes no thread and opens no connection for the next answer."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from django.core.asgi import get_asgi_application
from django.db.backends.signals import connection_created

from streaming.asgi import StreamingApplication
from streaming.asgi.types import Application
from tests.engine import Script

pytestmark = pytest.mark.usefixtures("engine")


async def _ask(application: Application, cookie: bytes = b"") -> list[tuple[bytes, bytes]]:
    """Reads an answer to its end. Returns the headers of the response."""
    headers = [(b"host", b"testserver"), (b"content-type", b"application/json"), (b"cookie", cookie)]
    scope = {"type": "http", "method": "POST", "path": "/api/chat", "query_string": b"", "headers": headers}
    connection = ApplicationCommunicator(application, scope)
    await connection.send_input({"type": "http.request", "body": json.dumps({"prompt": "Hello?"}).encode()})
    start = await connection.receive_output(30)
    assert start["status"] == 200
    body = b""
    while (message := await connection.receive_output(30)).get("more_body"):
        body += message["body"]
    assert b"[DONE]" in body
    await connection.wait(30)
    return list(start["headers"])


async def test_warm_process_makes_no_thread_and_no_connection(
    scripted: Script, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "streaming.middleware.one_trip"]
    settings.STREAMING_MAX_ACTIVE_PER_OWNER = 10
    scripted(text="Hello.")
    application = StreamingApplication(get_asgi_application())
    sent = dict(await _ask(application))
    cookie = sent[b"Set-Cookie"].partition(b";")[0]
    await asyncio.gather(*(_ask(application, cookie) for _ in range(4)))  # at once, so that each of the threads works
    made: list[object] = []
    start = threading.Thread.start

    def note(self: threading.Thread) -> None:
        made.append(self)
        start(self)

    def note_connection(connection: Any, **kwargs: Any) -> None:
        made.append(connection)

    monkeypatch.setattr(threading.Thread, "start", note)
    connection_created.connect(note_connection)
    try:
        for _ in range(5):
            await _ask(application, cookie)
    finally:
        connection_created.disconnect(note_connection)
    assert made == []
