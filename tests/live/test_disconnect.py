"""Readers that leave: with `STREAMING_ABANDON_AFTER = 0` the generation is cancelled, otherwise it continues."""

from __future__ import annotations

import asyncio
import json
import uuid
from typing import Any

import pytest
from websockets.asyncio.client import connect

from streaming.chat import start_chat
from streaming.models import Generation
from streaming.subscription import subscribe
from tests.live import rows
from tests.live.client import Visit
from tests.live.conftest import StartSite
from tests.live.providers import DIALECTS
from tests.live.raw import LEAVE, RawConnection
from tests.live.wires import answer_wire, until_delta
from tests.peers import HANG, Peer
from tests.servers import Site

TEXT = "One two three four."


@pytest.fixture(params=["uvicorn", "daphne"])
def hasty_site(request: pytest.FixtureRequest, start_site: StartSite) -> Site:
    return start_site(request.param, STREAMING_ABANDON_AFTER=0)


@pytest.mark.parametrize("how", LEAVE)
@pytest.mark.parametrize("dialect", DIALECTS)
async def test_leaving_closes_the_providers_connection_at_once(
    hasty_site: Site, peer: Peer, dialect: str, how: str
) -> None:
    peer.says(*until_delta(dialect, TEXT, "three "), HANG)
    key = uuid.uuid4().hex
    body = {"id": key, "prompt": "Count!", "provider": f"peer-{dialect}"}
    browser = RawConnection(hasty_site, "POST", "/api/chat", body=body)
    await browser.until(b"three")
    request = await peer.asked()
    assert not request.left.is_set()
    LEAVE[how](browser)
    await request.gone(within=5)
    stored = await rows.settled(hasty_site, key)
    assert (stored.status, stored.text) == ("cancelled", "One two three ")
    assert stored.generation["error_code"] == ""
    assert stored.generation["cancel_reason"] == "abandoned"


async def test_leaving_a_socket_closes_the_providers_connection_at_once(
    hasty_site: Site, peer: Peer, visit: Visit
) -> None:
    visitor = await visit(hasty_site).greet()
    peer.says(*until_delta("chat", TEXT, "three "), HANG)
    url, headers = hasty_site.url.replace("http", "ws", 1) + "/ws/chat/", {"Cookie": visitor.cookie}
    async with connect(url, origin=hasty_site.url, additional_headers=headers, proxy=None) as socket:
        body = {"id": visitor.key, "prompt": "Count!", "provider": "peer-chat"}
        await socket.send(json.dumps({"type": "send", "requestId": "r1"} | body))
        while "three" not in await socket.recv():
            pass
        socket.transport.abort()
        await (await peer.asked()).gone(within=5)
    stored = await rows.settled(hasty_site, visitor.key)
    assert (stored.status, stored.text) == ("cancelled", "One two three ")


async def test_answer_is_not_abandoned_while_somebody_reads(hasty_site: Site, peer: Peer, visit: Visit) -> None:
    gate = asyncio.Event()
    peer.says(*until_delta("chat", TEXT, "two "), gate, *until_delta("chat", TEXT, "four.")[-2:], HANG)
    first = visit(hasty_site)
    await (await first.ask("Count!", "peer-chat")).until("text-delta", 2)
    second = visit(hasty_site, cookie=first.cookie)
    second.key = first.key
    stream = await second.follow()
    await stream.until("text-delta", 2)
    await first.hang_up()
    gate.set()
    await stream.until("text-delta", 4)
    request = await peer.asked()
    assert not request.left.is_set()
    await second.hang_up()
    await request.gone(within=5)
    assert (await rows.settled(hasty_site, first.key)).text == TEXT


@pytest.mark.usefixtures("in_process")
async def test_reader_who_comes_back_in_time_saves_the_answer(settings: Any) -> None:
    settings.STREAMING_ABANDON_AFTER = 1
    answer = await start_chat("Hello?", provider="slow")
    for pause in (0.6, 0.8, 1.3):
        reader = await subscribe(answer.generation_id)
        assert await reader.next(1)
        reader.close()
        assert (await Generation.objects.aget(pk=answer.generation_id)).is_active
        await asyncio.sleep(pause)
    assert (await answer.result()).status == "cancelled"


@pytest.mark.parametrize("how", LEAVE)
async def test_answer_completes_unwatched_and_is_there_on_reload(
    every_site: Site, peer: Peer, visit: Visit, how: str
) -> None:
    visitor, gate = await visit(every_site).greet(), asyncio.Event()
    begun = until_delta("chat", TEXT, "two ")
    peer.says(*begun, gate, *answer_wire("chat", TEXT)[len(begun) :])
    body = {"id": visitor.key, "prompt": "Count!", "provider": "peer-chat"}
    browser = RawConnection(every_site, "POST", "/api/chat", body=body, cookie=visitor.cookie)
    await browser.until(b"two")
    sockets = every_site.open_sockets
    LEAVE[how](browser)
    await every_site.has_fewer_sockets_than(sockets)
    loaded = await visitor.conversation()
    assert loaded["active"]
    assert [message["role"] for message in loaded["messages"]] == ["user"], (
        "an answer that is being written is only in the stream"
    )
    gate.set()
    stored = await rows.settled(every_site, visitor.key)
    assert (stored.status, stored.text) == ("finished", TEXT)
    loaded = await visitor.conversation()
    assert not loaded["active"]
    assert loaded["messages"][1]["parts"] == [{"type": "text", "text": TEXT, "state": "done"}]
    assert loaded["messages"][1]["metadata"]["status"] == "finished"
