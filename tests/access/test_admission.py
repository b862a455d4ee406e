"""Admission: few requests start at the same time, so that running answers go on."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from streaming.access import admission, current_admission
from streaming.access.admission import PLACES, Admission
from streaming.asgi import StreamingApplication
from streaming.asgi.guard import Guard
from streaming.asgi.reception import GONE_SECONDS, Reception

pytestmark = pytest.mark.usefixtures("engine")

POST: dict[str, Any] = {"type": "http", "method": "POST", "path": "/api/chat"}


@pytest.fixture
def busy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The event loop always looks too late."""
    monkeypatch.setattr(admission, "LATE_SECONDS", -1.0)
    monkeypatch.setattr(admission, "SLOW_SECONDS", 1000.0)


async def _turns(count: int = 10) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def _looks(count: int = 5) -> None:
    await asyncio.sleep(count * admission.LOOK_SECONDS)


async def _enter(entry: Admission, count: int) -> list[Any]:
    entering = [asyncio.create_task(entry.enter()) for _ in range(count)]
    await _turns()
    return entering


def _inside(entering: list[Any]) -> int:
    return sum(task.done() for task in entering)


@pytest.mark.usefixtures("busy")
async def test_on_a_busy_loop_the_next_comes_in_when_a_place_is_left() -> None:
    entering = await _enter(Admission(), PLACES + 2)
    await _looks()
    assert _inside(entering) == PLACES
    place = entering[0].result()
    place.leave()
    place.leave()
    await _turns()
    assert _inside(entering) == PLACES + 1
    with entering[1].result():
        pass
    await _turns()
    assert _inside(entering) == PLACES + 2


async def test_on_an_idle_loop_others_come_in_while_those_inside_wait() -> None:
    entering = await _enter(Admission(), 5 * PLACES)
    assert _inside(entering) == PLACES
    await asyncio.wait_for(asyncio.gather(*entering), 30)


async def test_on_a_busy_loop_slow_ones_no_longer_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "LATE_SECONDS", -1.0)
    monkeypatch.setattr(admission, "SLOW_SECONDS", 0.05)
    entry = Admission()
    places = await asyncio.wait_for(asyncio.gather(*await _enter(entry, 5 * PLACES)), 30)
    await asyncio.sleep(0.1)
    assert (await _enter(entry, 1))[0].done(), "nobody waits for slow ones"
    for place in places:
        place.leave()  # they were forgotten, and are not counted twice
    assert _inside(await _enter(entry, 1)) == 1


async def test_after_an_idle_moment_a_busy_loop_keeps_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = Admission()
    await asyncio.wait_for(asyncio.gather(*await _enter(entry, PLACES + 1)), 30)
    monkeypatch.setattr(admission, "LATE_SECONDS", -1.0)
    monkeypatch.setattr(admission, "SLOW_SECONDS", 1000.0)
    assert not _inside(await _enter(entry, 3))


@pytest.mark.usefixtures("busy")
async def test_one_that_is_cancelled_takes_no_place() -> None:
    entry = Admission()
    entering = await _enter(entry, PLACES + 3)
    entering[PLACES].cancel()  # it waits
    entering[0].result().leave()
    entering[PLACES + 1].cancel()  # it gets the place in this turn
    await _turns()
    assert entering[PLACES + 2].done()
    assert _inside(entering) == PLACES + 3


@pytest.mark.usefixtures("busy")
async def test_response_that_begins_lets_the_next_request_in(monkeypatch: pytest.MonkeyPatch) -> None:
    begin, end = asyncio.Event(), asyncio.Event()
    started = []

    async def site(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        started.append(scope)
        await begin.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await end.wait()

    monkeypatch.setattr("streaming.asgi.application.wire_of", lambda send, scope: Wire())
    application = StreamingApplication(site)
    serving = [
        asyncio.create_task(application(POST | {"number": number}, _nothing, _take)) for number in range(PLACES + 1)
    ]
    await _looks()
    assert len(started) == PLACES
    begin.set()
    await _turns(50)
    assert [scope["number"] for scope in started] == list(range(PLACES + 1))
    end.set()
    await asyncio.gather(*serving)


@pytest.mark.usefixtures("busy")
async def test_request_whose_body_is_still_being_sent_takes_no_place(monkeypatch: pytest.MonkeyPatch) -> None:
    has_come, started = asyncio.Event(), []

    async def site(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        started.append(scope["number"])

    async def slow() -> dict[str, Any]:
        await has_come.wait()
        return await _nothing()

    monkeypatch.setattr("streaming.asgi.application.wire_of", lambda send, scope: Wire())
    application = StreamingApplication(site)
    slow_ones = [
        asyncio.create_task(application(POST | {"number": number}, slow, _take)) for number in range(2 * PLACES)
    ]
    await _turns()
    await asyncio.wait_for(application(POST | {"number": -1}, _nothing, _take), 10)
    assert started == [-1]
    has_come.set()
    await asyncio.wait_for(asyncio.gather(*slow_ones), 30)
    assert len(started) == 1 + len(slow_ones)


@pytest.mark.usefixtures("busy")
@pytest.mark.parametrize("scope", [{"method": "GET"}, {"method": "HEAD"}, {"path": "/api/chat/c1/stop"}])
async def test_probes_pages_and_stops_do_not_wait(scope: dict[str, Any]) -> None:
    places = [await current_admission().enter() for _ in range(PLACES)]
    reception = Reception(POST | scope, _nothing, Guard(_take, Wire()))
    assert (await asyncio.wait_for(reception.receive(), 30))["type"] == "http.request"
    assert len(places) == PLACES


@pytest.mark.usefixtures("busy")
async def test_request_whose_response_began_before_its_body_was_read_takes_no_place() -> None:
    places = [await current_admission().enter() for _ in range(PLACES)]
    guard = Guard(_take, Wire())
    reception = Reception(POST, _nothing, guard)
    await guard.send({"type": "http.response.start", "status": 200, "headers": []})
    assert (await asyncio.wait_for(reception.receive(), 30))["type"] == "http.request"
    guard.close()
    places[0].leave()
    assert (await asyncio.wait_for(current_admission().enter(), 30)) is not None
    assert len(places) == PLACES


@pytest.mark.usefixtures("busy")
async def test_message_survives_a_cancelled_receive() -> None:
    places = [await current_admission().enter() for _ in range(PLACES)]
    messages = [await _nothing()]

    async def once() -> dict[str, Any]:
        return messages.pop()

    reception = Reception(POST, once, Guard(_take, Wire()))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(reception.receive(), 0.01)
    places[0].leave()
    assert (await asyncio.wait_for(reception.receive(), 30))["type"] == "http.request"


async def test_complete_response_hears_late_that_the_client_has_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[Any] = []
    is_late = asyncio.Event()

    async def sleep(seconds: float) -> None:
        heard.append(seconds)
        await is_late.wait()

    async def site(scope: Any, receive: Any, send: Any) -> None:
        heard.append((await receive())["type"])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
        listening = asyncio.create_task(receive())
        await _turns()
        heard.append(listening.done())
        is_late.set()
        heard.append((await listening)["type"])

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    monkeypatch.setattr("streaming.asgi.application.wire_of", lambda send, scope: Wire())
    monkeypatch.setattr("streaming.asgi.reception.asyncio", SimpleNamespace(sleep=sleep))
    await StreamingApplication(site)(POST, receive, _take)
    assert heard == ["http.disconnect", GONE_SECONDS, False, "http.disconnect"]


class Wire:
    """The connection of a client that takes everything."""

    def is_flushed(self) -> bool:
        return True

    def is_drained(self) -> bool:
        return True

    def progress(self) -> int:
        return 0

    def abort(self) -> None: ...


async def _nothing() -> dict[str, Any]:
    return {"type": "http.request", "body": b"", "more_body": False}


async def _take(message: Any) -> None: ...
