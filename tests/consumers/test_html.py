"""Sockets whose address asks for HTML: the same picture for each, whenever they come."""

from __future__ import annotations

from typing import Any

import pytest

from streaming.markdown import render
from streaming.models import Generation
from streaming.subscription import picture as pictures
from tests.consumers.conftest import Open, Socket
from tests.engine import Script
from tests.markdown.corpus import RICH
from tests.subscription.test_html import Reader

WHOLE = render(RICH)
ASKED: dict[str, Any] = {"type": "send", "requestId": "r", "id": "c1", "prompt": "Hi"}
RESUMED: dict[str, Any] = {"type": "resume", "requestId": "r", "id": "c1"}


@pytest.fixture
def fed(scripted: Script, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A rich answer; the texts that are fed to Markdown streams."""
    scripted(text=RICH, delay=0.002)
    texts: list[str] = []
    feed = pictures.MarkdownStream.feed
    monkeypatch.setattr(pictures.MarkdownStream, "feed", lambda self, text: texts.append(text) or feed(self, text))
    return texts


async def _drawn(socket: Socket) -> Reader:
    """Reads a request to its end, and draws its chunks as a page does."""
    *chunks, end = [one for one in await socket.replies() if one["type"] != "start"]
    assert [one["sequence"] for one in chunks] == list(range(len(chunks)))
    reader = Reader()
    for one in chunks:
        reader.chunks.append(one["chunk"])
        reader.draw(one["chunk"])
    assert (end["type"], end["text"], reader.text) == ("end", RICH, RICH)
    return reader


async def _until_html(socket: Socket) -> None:
    while (await socket.reply())["chunk"]["type"] != "data-html":
        pass


async def test_a_socket_that_asks_gets_the_html_beside_its_chunks(sockets: Open, fed: list[str]) -> None:
    socket = await sockets("?html=1")
    await socket.tell(**ASKED)
    reader = await _drawn(socket)
    assert reader.html == [WHOLE]
    assert reader.chunks[-1]["type"] == "finish"


@pytest.mark.parametrize("query", ["", "?html=0", "?html=true"])
async def test_other_sockets_get_none_and_nothing_is_rendered(sockets: Open, fed: list[str], query: str) -> None:
    socket = await sockets(query)
    await socket.tell(**ASKED)
    assert (await _drawn(socket)).html == []
    assert fed == []


async def test_a_socket_that_comes_back_in_mid_answer_gets_the_same_picture(sockets: Open, fed: list[str]) -> None:
    first = await sockets("?html=1")
    await first.tell(**ASKED)
    await _until_html(first)
    await first.disconnect()
    again = await sockets("?html=1")
    await again.tell(**RESUMED)
    assert (await _drawn(again)).html == [WHOLE]


async def test_sockets_with_and_without_html_share_one_rendering(sockets: Open, fed: list[str]) -> None:
    asking, plain, late = [await sockets(query) for query in ("?html=1", "", "?html=1")]
    await asking.tell(**ASKED)
    await _until_html(asking)
    for one in (plain, late):
        await one.tell(**RESUMED)
    assert (await _drawn(late)).html == [WHOLE]
    assert (await _drawn(plain)).html == []
    assert "".join(fed) == RICH
    assert await Generation.objects.acount() == 1
