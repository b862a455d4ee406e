"""The ASGI application that `benchmarks.serve` measures: by path, the peers without Django, or the example site."""

from __future__ import annotations

import json
from typing import Any

from benchmarks.serve_upstream import relayed
from project.asgi import application as site


async def bare(scope: Any, receive: Any, send: Any) -> None:
    """A relay without any framework."""
    body = b""
    while (message := await receive())["type"] == "http.request":
        body += message["body"]
        if not message.get("more_body"):
            break
    headers = [(b"content-type", b"text/event-stream")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    async for data in relayed(json.loads(body)["provider"]):
        await send({"type": "http.response.body", "body": data, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


PEERS: dict[str, Any] = {"/bare": bare}
try:
    from benchmarks.serve_fastapi import application as fastapi

    PEERS["/fastapi"] = fastapi
except ImportError:
    pass


async def application(scope: Any, receive: Any, send: Any) -> None:
    await PEERS.get(scope.get("path", ""), site)(scope, receive, send)
