"""The ASGI application that `benchmarks.serve` measures: by path, a peer without Django, or the example site."""

from __future__ import annotations

from typing import Any

from benchmarks.serve_peers import PEERS
from project.asgi import application as site


async def application(scope: Any, receive: Any, send: Any) -> None:
    await PEERS.get(scope.get("path", ""), site)(scope, receive, send)
