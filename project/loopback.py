"""The guard of a site without sign-in. It accepts only this machine, whatever address the server listens on."""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

HOSTS = ["localhost", "127.0.0.1", "[::1]"]
REFUSAL = (
    b"Without sign-in this site answers its own machine only. Set ALLOWED_HOSTS to serve others; "
    b"visitors then have to sign in.\n"
)


class LoopbackOnly:
    """An ASGI application that refuses every peer except this machine.

    `ALLOWED_HOSTS` is not enough, because a client can send any Host header. A peer without an address uses a Unix
    socket, so it is this machine.
    """

    def __init__(self, application: Application) -> None:
        self.application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        client = scope.get("client")
        if client and not _is_local(client[0]):
            await REFUSALS[scope["type"]](send)
        else:
            await self.application(scope, receive, send)


def _is_local(address: str) -> bool:
    try:
        peer = ipaddress.ip_address(address)
    except ValueError:  # the name of a Unix socket
        return True
    mapped = getattr(peer, "ipv4_mapped", None)
    return (mapped or peer).is_loopback


async def _refuse_http(send: Send) -> None:
    await send({"type": "http.response.start", "status": 403, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": REFUSAL})


async def _refuse_websocket(send: Send) -> None:
    await send({"type": "websocket.close", "code": 4403})


REFUSALS = {"http": _refuse_http, "websocket": _refuse_websocket}
