"""The guard of a connection: `send` waits for the server's buffer, and a stuck client is cut."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from streaming.asgi.guard import SMALL_BYTES, Guard
from tests.engine import run_until

pytestmark = pytest.mark.usefixtures("engine")

MORE = {"type": "http.response.body", "body": b"a", "more_body": True}
LAST = {"type": "http.response.body", "body": b"", "more_body": False}


class SlowWire:
    """A connection whose server holds `held` bytes."""

    def __init__(self, held: int) -> None:
        self.held = held
        self.is_cut = False

    def is_flushed(self) -> bool:
        return not self.held

    def is_drained(self) -> bool:
        return not self.held

    def progress(self) -> int:
        return -self.held

    def abort(self) -> None:
        self.is_cut, self.held = True, 0


async def _take(message: Any) -> None: ...


async def _waits_until_the_buffer_is_empty(guard: Guard, wire: SlowWire, message: Any) -> None:
    sending = asyncio.create_task(guard.send(message))
    await asyncio.sleep(0.1)
    assert not sending.done()
    wire.held = 0
    await asyncio.wait_for(sending, 30)
    assert not wire.is_cut
    guard.close()


async def test_last_message_waits_until_the_buffer_is_empty() -> None:
    wire = SlowWire(64_000)
    await _waits_until_the_buffer_is_empty(Guard(_take, wire), wire, LAST)


async def test_message_waits_for_those_before_it() -> None:
    wire = SlowWire(0)

    async def take(message: Any) -> None:
        wire.held = 64_000

    guard = Guard(take, wire)
    await guard.send(MORE)  # it has nothing to wait for
    await _waits_until_the_buffer_is_empty(guard, wire, MORE)


async def test_client_that_takes_nothing_is_cut_although_nothing_more_is_sent(settings: Any) -> None:
    settings.STREAMING_STUCK_SECONDS = 0.1
    wire = SlowWire(0)

    async def take(message: Any) -> None:
        wire.held = 64_000

    guard = Guard(take, wire)
    await guard.send(MORE)
    await run_until(lambda: wire.is_cut)
    guard.close()


async def test_client_that_takes_nothing_of_the_last_message_is_cut(settings: Any) -> None:
    settings.STREAMING_STUCK_SECONDS = 0.1
    wire = SlowWire(64_000)
    guard = Guard(_take, wire)
    await asyncio.wait_for(guard.send(LAST), 30)
    assert wire.is_cut
    guard.close()


async def test_client_that_takes_a_little_is_not_cut(settings: Any) -> None:
    settings.STREAMING_STUCK_SECONDS = 0.2
    wire = SlowWire(64_000)
    guard = Guard(_take, wire)
    sending = asyncio.create_task(guard.send(LAST))
    while wire.held:
        await asyncio.sleep(0.01)
        wire.held -= 1_000
    await asyncio.wait_for(sending, 30)
    assert not wire.is_cut
    guard.close()


class FilledWire(SlowWire):
    """A connection of granian: it takes everything at once, and the client takes nothing."""

    def is_flushed(self) -> bool:
        return True


@pytest.mark.parametrize("kind", ["text", "bytes"])
async def test_client_that_takes_nothing_of_a_sockets_last_frames_is_cut(settings: Any, kind: str) -> None:
    settings.STREAMING_STUCK_SECONDS = 0.1
    wire = FilledWire(64_000)
    guard = Guard(_take, wire)
    for part in ("x" * SMALL_BYTES, "x"):
        await guard.send({"type": "websocket.send", kind: part if kind == "text" else part.encode()})
    await guard.send({"type": "websocket.close", "code": 4429})
    guard.close()
    await run_until(lambda: wire.is_cut)


async def test_server_that_writes_in_the_next_turns_of_the_loop_costs_no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    """Daphne and uvloop do. A pause after each message would slow every stream down."""
    monkeypatch.setattr("streaming.asgi.guard.RELIEF_SECONDS", 60)
    wire = SlowWire(0)

    async def take(message: Any) -> None:
        wire.held = 10
        loop = asyncio.get_running_loop()
        loop.call_soon(lambda: loop.call_soon(setattr, wire, "held", 0))

    guard = Guard(take, wire)
    await asyncio.wait_for(guard.send(LAST), 30)
    guard.close()
    await run_until(lambda: not wire.held)
