"""A picture from the stock client's `sendMessage`: its provider gets it in its own format, the page gets a URL."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest

from tests.live import rows
from tests.live.client import Visitor
from tests.live.use_chat.conftest import OpenChat
from tests.live.wires import answer_wire
from tests.peers import Peer, Request
from tests.pictures import PNG, data_url

PICTURE = {"type": "file", "mediaType": "image/png", "filename": "cat.png", "url": data_url(PNG)}
SEEN: dict[str, Any] = {
    "chat": {"type": "image_url", "image_url": {"url": data_url(PNG)}},
    "responses": {"type": "input_image", "image_url": data_url(PNG)},
    "messages": {
        "type": "image",
        "source": {"type": "base64", "media_type": "image/png", "data": b64encode(PNG).decode()},
    },
}


def _first_asked(request: Request) -> list[Any]:
    turns = request.json.get("messages") or request.json["input"]
    content: list[Any] = turns[0]["content"]
    return content


@pytest.mark.parametrize("dialect", SEEN)
async def test_picture_reaches_the_provider_and_comes_back_as_an_address(
    open_chat: OpenChat, visitor: Visitor, peer: Peer, dialect: str
) -> None:
    peer.says(*answer_wire(dialect, "A green square."))
    chat = open_chat(visitor, f"peer-{dialect}")
    await chat.send("What is it?", files=[PICTURE])
    state = await chat.until(lambda state: state.status != "streaming")
    assert (state.status, state.text, state.error) == ("ready", "A green square.", None)
    assert _first_asked(await peer.asked())[0] == SEEN[dialect]
    [picture, text] = (await visitor.conversation())["messages"][0]["parts"]
    assert (picture | {"url": PICTURE["url"]}, text["text"]) == (PICTURE, "What is it?")
    served = await visitor.http.get(picture["url"])
    assert (served.content, served.headers["content-type"]) == (PNG, "image/png")
    await chat.send("And now?")
    await chat.until(lambda state: len(state.messages) == 4 and state.status == "ready")
    assert _first_asked(await peer.asked(2))[0] == SEEN[dialect]
    stored = "SELECT count(*) AS n FROM streaming_attachment JOIN streaming_conversation AS c ON c.id = conversation_id"
    assert rows.select(visitor.site, f"{stored} WHERE c.key = ?", visitor.key) == [{"n": 1}]
