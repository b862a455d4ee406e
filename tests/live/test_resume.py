"""Resuming: a reader gets the same answer from any cursor, in any process, any number of times."""

from __future__ import annotations

import asyncio
import time

import pytest

from tests.live import rows
from tests.live.client import Stream, Visit, Visitor, assert_whole
from tests.live.conftest import StartSite
from tests.live.wires import answer_wire, until_delta
from tests.peers import HANG, Peer
from tests.servers import Site

TEXT = "One two three four five six."


@pytest.fixture(params=["same process", "other process"])
def other_site(request: pytest.FixtureRequest, site: Site, start_site: StartSite) -> Site:
    """Another process of the site. It knows the answer only from the journal."""
    return site if request.param == "same process" else start_site("daphne", database=str(site.database))


async def _begin(visitor: Visitor, peer: Peer) -> tuple[Stream, asyncio.Event]:
    """Begins an answer that has come to "three". It continues when the event is set."""
    gate, begun = asyncio.Event(), until_delta("chat", TEXT, "three ")
    peer.says(*begun, gate, *answer_wire("chat", TEXT)[len(begun) :])
    stream = await visitor.ask("Count!", "peer-chat")
    return await stream.until("text-delta", 3), gate


def _back(visit: Visit, visitor: Visitor, site: Site) -> Visitor:
    """Opens another tab of the same person."""
    again = visit(site, cookie=visitor.cookie)
    again.key = visitor.key
    return again


async def test_running_answer_is_replayed_and_followed(
    visitor: Visitor, visit: Visit, peer: Peer, other_site: Site
) -> None:
    first, gate = await _begin(visitor, peer)
    second = await _back(visit, visitor, other_site).follow()
    await second.until("text-delta", 3)
    gate.set()
    await first.whole()
    await second.whole()
    assert_whole(second)
    assert second.text == TEXT
    assert second.chunks == first.chunks


@pytest.mark.parametrize("named_by", ["query", "header", "both"])
@pytest.mark.parametrize("after", [1, 4, 6])
async def test_reader_goes_on_where_it_was(
    visitor: Visitor, visit: Visit, peer: Peer, other_site: Site, after: int, named_by: str
) -> None:
    first, gate = await _begin(visitor, peer)
    back = _back(visit, visitor, other_site)
    header = {"Last-Event-ID": str(after)}
    named = {"query": (f"?after={after}", {}), "header": ("", header), "both": ("?after=0", header)}
    query, headers = named[named_by]
    second = await back.follow(query, **headers)
    gate.set()
    await first.whole()
    await second.whole()
    assert second.seqs == list(range(after + 1, len(first.frames) + 1))
    assert second.chunks == first.chunks[after:]


async def test_cursor_that_no_log_has_given_starts_from_the_beginning(visitor: Visitor, peer: Peer) -> None:
    _, gate = await _begin(visitor, peer)
    second = await visitor.follow("?after=4711")
    gate.set()
    assert_whole(await second.whole())


async def test_nothing_is_resumed_when_nothing_runs(visitor: Visitor, visit: Visit, other_site: Site) -> None:
    whole = await (await visitor.ask("Hello?")).whole()
    back = _back(visit, visitor, other_site)
    path = f"/api/chat/{visitor.key}/stream"
    for query in ("", f"?after={len(whole.frames)}"):
        response = await back.http.get(path + query)
        assert (response.status_code, response.content) == (204, b"")


async def test_reader_that_missed_the_end_gets_it(visitor: Visitor, visit: Visit, other_site: Site) -> None:
    whole = await (await visitor.ask("Hello?")).whole()
    rest = await (await _back(visit, visitor, other_site).follow("?after=3")).whole()
    assert rest.chunks == whole.chunks[3:]


async def test_answer_that_has_said_nothing_yet_can_be_resumed(
    visitor: Visitor, visit: Visit, peer: Peer, other_site: Site
) -> None:
    peer.says(HANG)
    await visitor.ask("Hello?", "peer-chat")
    back = _back(visit, visitor, other_site)
    await (await back.follow()).until("start-step")
    assert await back.stop() == "stopping"


async def test_stop_works_from_anywhere_and_tells_the_truth(
    visitor: Visitor, visit: Visit, peer: Peer, other_site: Site
) -> None:
    peer.says(*until_delta("chat", TEXT, "three "), HANG)
    stream = await (await visitor.ask("Count!", "peer-chat")).until("text-delta", 3)
    back, began = _back(visit, visitor, other_site), time.monotonic()
    assert await back.stop() == "stopping"
    await (await peer.asked()).gone(within=10)
    await stream.whole()
    assert time.monotonic() - began < 10
    assert stream.types[-2:] == ["abort", "finish"]
    assert await back.stop() == "cancelled"
    stored = rows.answer(visitor.site, visitor.key)
    assert (stored.status, stored.text) == ("cancelled", "One two three ")
    shown = (await back.conversation())["messages"][1]
    assert shown["parts"] == [{"type": "text", "text": "One two three ", "state": "done"}]
    assert shown["metadata"]["status"] == "cancelled"


async def test_message_sent_twice_is_answered_once(
    visitor: Visitor, visit: Visit, peer: Peer, other_site: Site
) -> None:
    gate, begun = asyncio.Event(), until_delta("chat", TEXT, "three ")
    peer.says(*begun, gate, *answer_wire("chat", TEXT)[len(begun) :])
    first = await visitor.ask("Count!", "peer-chat", clientId="m1")
    again = await _back(visit, visitor, other_site).ask("Count!", "peer-chat", clientId="m1")
    await again.until("text-delta", 3)
    gate.set()
    assert (await first.whole()).chunks == (await again.whole()).chunks
    assert len(peer.requests) == 1
    assert rows.answer(visitor.site, visitor.key).text == TEXT
