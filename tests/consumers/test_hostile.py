"""Sockets of clients and servers that do what they should not."""

from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import Callable
from typing import Any

import pytest
from channels.testing import WebsocketCommunicator

from streaming import consumers
from streaming.access import SessionCheck, admission, current_admission
from streaming.errors import BadRequest
from streaming.intake import commands
from streaming.models import Generation
from streaming.supervisor import Supervisor
from tests.consumers.conftest import PATIENCE, Open
from tests.engine import Script, run_until

Json = dict[str, Any]
ASKED: Json = {"type": "send", "requestId": "r", "id": "c1", "prompt": "Hi"}


class Wire:
    """What stands around a consumer and notes the types of its messages. `after` runs before a `send` returns."""

    def __init__(self, after: Callable[[Json], Any]) -> None:
        self.sent: list[Json] = []
        self._after = after

    def __call__(self, app: Any) -> Any:
        async def wrapped(scope: Any, receive: Any, send: Any) -> None:
            async def noted(message: Json) -> None:
                self.sent.append(message)
                await send(message)
                await self._after(message)

            await app(scope, receive, noted)

        return wrapped

    @property
    def types(self) -> list[str]:
        return [one["type"].removeprefix("websocket.") for one in self.sent]


async def _at_once(message: Json) -> None: ...


async def _slow_to_close(message: Json) -> None:
    """A server that flushes its buffer before a close returns."""
    if message["type"] == "websocket.close":
        await asyncio.sleep(0.05)


async def test_nothing_follows_the_close_of_a_socket_that_streams(
    sockets: Open, scripted: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers, "COMMANDS_PER_SECOND", 0.0)  # on a loaded machine, the test's commands take seconds
    scripted(text="word " * 5_000, delay=0.001)
    wire = Wire(_slow_to_close)
    socket = await sockets(around=wire)
    await socket.tell(**ASKED)
    await socket.reply()
    for _ in range(consumers.BURST_COMMANDS + 1):
        await socket.send_to(text_data="{}")
    await socket.wait(PATIENCE)
    assert wire.types.count("close") == 1
    assert wire.types[-1] == "close"


async def test_nothing_follows_the_close_while_a_command_is_at_work(
    sockets: Open, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The person is signed out while the site looks at the message. Then another command comes."""
    settings.STREAMING_RECHECK_SECONDS = 0.01
    at_work, is_closed = asyncio.Event(), asyncio.Event()

    async def signed_out(self: SessionCheck) -> bool:
        await at_work.wait()
        return False

    async def submit(*_: Any, **__: Any) -> None:
        at_work.set()
        await is_closed.wait()
        raise BadRequest("No.")

    monkeypatch.setattr(SessionCheck, "holds_as_far_as_known", signed_out)
    monkeypatch.setattr(Supervisor, "submit", submit)
    wire = Wire(_at_once)
    socket = await sockets(around=wire)
    for _ in range(2):
        await socket.tell(**ASKED)
    await run_until(lambda: wire.types[-1] == "close")
    is_closed.set()
    await socket.disconnect()
    assert wire.types == ["accept", "close"]


async def test_in_a_crowd_a_question_waits_for_a_place(
    sockets: Open, scripted: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admission, "LATE_SECONDS", -1.0)  # the event loop always has too much to do
    monkeypatch.setattr(admission, "SLOW_SECONDS", 1000.0)
    scripted(text="Hello.")
    places = [await current_admission().enter() for _ in range(admission.PLACES)]
    socket = await sockets()
    await socket.tell(**ASKED)
    await asyncio.sleep(3 * admission.LOOK_SECONDS)
    assert not await Generation.objects.aexists()
    places[0].leave()
    assert [reply["type"] for reply in await socket.replies()][-1] == "end"


async def test_a_person_who_signs_out_while_a_question_waits_for_a_place_gets_no_answer(
    sockets: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admission, "LATE_SECONDS", -1.0)
    monkeypatch.setattr(admission, "SLOW_SECONDS", 1000.0)
    is_signed_in = True

    async def holds_now(self: SessionCheck) -> bool:
        return is_signed_in

    monkeypatch.setattr(SessionCheck, "holds_now", holds_now)
    places = [await current_admission().enter() for _ in range(admission.PLACES)]
    socket = await sockets()
    await socket.tell(**ASKED)
    await run_until(lambda: bool(current_admission()._waiting))
    is_signed_in = False
    places[0].leave()
    assert await socket.receive_output(PATIENCE) == {"type": "websocket.close", "code": 4401}
    assert not await Generation.objects.aexists()


@pytest.mark.parametrize("error", [RuntimeError, OSError])
async def test_a_socket_that_the_server_has_closed_is_no_error(
    sockets: Open, scripted: Script, caplog: pytest.LogCaptureFixture, error: type[Exception]
) -> None:
    """uvicorn closes a socket by itself when a frame is malformed. It tells the application later."""
    scripted(text="word " * 200, delay=0.001)
    refused: list[Json] = []

    async def closed(message: Json) -> None:
        if '"text-delta"' in message.get("text", ""):
            refused.append(message)
            raise error

    socket = await sockets(around=Wire(closed))
    await socket.tell(**ASKED)
    await run_until(lambda: len(refused) > 3)
    await socket.disconnect()
    gc.collect()  # a task that failed says so when it goes
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []


async def test_a_request_id_is_free_when_its_end_has_come(sockets: Open, scripted: Script) -> None:
    """The server returns from `send` only later, because it waits for a slow client's socket."""
    scripted(text="one")
    is_flushed = asyncio.Event()

    async def flushed(message: Json) -> None:
        if '"end"' in message.get("text", ""):
            await is_flushed.wait()

    socket = await sockets(around=Wire(flushed))
    for prompt in ("One", "Two"):
        await socket.tell(**ASKED | {"prompt": prompt})
        assert (await socket.replies())[-1]["type"] == "end"
    is_flushed.set()


async def test_a_message_that_is_sent_again_and_again_has_one_answer(sockets: Open, scripted: Script) -> None:
    """A client that lost its replies sends the message again, on the same socket and on another one."""
    scripted(text="one two", delay=0.01)
    both = [await sockets(), await sockets()]
    for one in both:
        for request_id in ("a", "b"):
            await one.tell(**ASKED | {"requestId": request_id}, clientId="m1")
    ids = {(await one.reply())["chunk"]["messageId"] for one in both}
    assert (len(ids), await Generation.objects.acount()) == (1, 1)


async def test_a_huge_frame_is_refused_without_being_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """16 MB of small lists cost two seconds of the event loop."""
    monkeypatch.setattr(commands, "read_json", pytest.fail)
    huge = '{"requestId":"r","a":[' + "[]," * 400_000 + "0]}"
    with pytest.raises(BadRequest, match="at most"):
        commands.read_command(huge)
    assert commands.request_id_if_any(huge) == "r"
    assert commands.request_id_if_any(huge[:-1]) == ""
    assert commands.request_id_if_any(huge.replace("r", "\ud800", 1)) == ""


async def test_large_frames_count_as_many(sockets: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumers, "COMMANDS_PER_SECOND", 0.0)
    socket = await sockets()
    large = json.dumps({"requestId": "r", "type": "dance", "a": "x" * 900_000})
    for _ in range(20):
        await socket.send_to(text_data=large)
    while (output := await socket.receive_output(PATIENCE))["type"] == "websocket.send":
        assert "abort, resume, send" in output["text"]
    assert output == {"type": "websocket.close", "code": 4429}


@pytest.mark.parametrize("query", [b"html=\xff", b"a=1&" * 1001])
async def test_a_handshake_that_cannot_be_read_is_refused(engine: None, query: bytes) -> None:
    socket = WebsocketCommunicator(consumers.ChatConsumer.as_asgi(), "/ws/chat/")
    socket.scope["query_string"] = query
    assert await socket.connect(PATIENCE) == (False, 1000)
