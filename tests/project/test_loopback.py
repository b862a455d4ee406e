"""The guard of an example site without sign-in."""

from __future__ import annotations

from typing import Any

import pytest

from project.loopback import LoopbackOnly


async def reach(client: object, kind: str = "http") -> list[Any]:
    """Connects a peer with the address `client`. Returns the application's message or the refusal."""
    sent: list[Any] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "let in"})

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        raise AssertionError("nothing needs to be read")

    await LoopbackOnly(application)({"type": kind, "client": client}, receive, send)
    return [message.get("status", message.get("code", message["type"])) for message in sent]


@pytest.mark.parametrize("client", [("127.0.0.1", 1), ("127.8.8.8", 1), ("::1", 1), ("::ffff:127.0.0.1", 1), None])
async def test_this_machine_is_accepted(client: object) -> None:
    assert await reach(client) == ["let in"]
    assert await reach(client, "websocket") == ["let in"]


@pytest.mark.parametrize("client", [("192.168.1.20", 1), ("2001:db8::1", 1), ("::ffff:10.0.0.1", 1)])
async def test_other_machines_are_refused(client: object) -> None:
    assert await reach(client) == [403, "http.response.body"]
    assert await reach(client, "websocket") == [4403]
