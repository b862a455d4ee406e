"""Errors: the page shows the server's text, and both sides keep the text that was written before."""

from __future__ import annotations

from tests.live import rows
from tests.live.client import Visitor
from tests.live.use_chat.conftest import OpenChat
from tests.live.use_chat.driver import State
from tests.live.wires import answer_wire, until_delta
from tests.peers import CUT, Peer, Reply

BUSY = "An answer is still being written in this conversation. Wait for it, or stop it."


def _said(state: State) -> str:
    """The error that the page shows."""
    assert state.status == "error"
    assert state.error is not None
    message: str = state.error["message"]
    return message


async def test_message_while_an_answer_is_written_is_refused_and_can_be_retried(
    open_chat: OpenChat, visitor: Visitor, peer: Peer
) -> None:
    first, second = open_chat(visitor, "slow"), open_chat(visitor, "peer-chat")
    answering = first.send("Hello?")
    await first.until(lambda state: state.text)
    await second.send("And now?")
    assert _said(await second.state()) == BUSY
    assert await visitor.stop() == "stopping"
    await answering
    peer.says(*answer_wire("chat", "Fine."))
    await second.regenerate()
    state = await second.state()
    assert (state.status, state.text) == ("ready", "Fine.")
    assert [turn["content"] for turn in peer.requests[0].json["messages"]][-1] == "And now?"
    assert (await visitor.conversation())["messages"][-2]["id"] == state.messages[0]["id"]


async def test_first_message_that_was_refused_can_be_retried(open_chat: OpenChat, visitor: Visitor) -> None:
    chat = open_chat(visitor)
    await chat.send("x" * 32_001)
    assert _said(await chat.state()) == "The message has 32001 characters; at most 32000 are accepted."
    await chat.regenerate()
    assert "32001" in _said(await chat.state())
    await chat.send("Hello?")
    assert (await chat.until(lambda state: state.status == "ready")).text == "Hello from the script."


async def test_message_that_was_refused_can_be_edited(open_chat: OpenChat, visitor: Visitor, peer: Peer) -> None:
    peer.says(*answer_wire("chat", "Fine."))
    chat = open_chat(visitor, "peer-chat")
    await chat.send("x" * 32_001)
    asked = (await chat.state()).messages[-1]
    await chat.send("Short.", messageId=asked["id"])
    state = await chat.settled()
    assert (state.status, state.text, len(state.messages)) == ("ready", "Fine.", 2)
    assert [turn["content"] for turn in peer.requests[0].json["messages"]] == ["Short."]


async def test_unknown_provider_is_named(open_chat: OpenChat, visitor: Visitor) -> None:
    chat = open_chat(visitor, "gpt")
    await chat.send("Hello?")
    assert _said(await chat.state()).startswith("Unknown provider 'gpt', must be one of: ")


async def test_history_that_is_too_large_to_send_is_refused(
    open_chat: OpenChat, client: tuple[str, str], visitor: Visitor
) -> None:
    words = {"type": "text", "text": "word " * 100_000}
    history = [{"id": f"a{number}", "role": "assistant", "parts": [words]} for number in range(6)]
    chat = open_chat(visitor, "default", history)
    await chat.send("Hello?")
    said = {
        "http": "The request is larger than this site accepts (DATA_UPLOAD_MAX_MEMORY_SIZE). "
        "Send only the last message, and send files to api/files first.",
        "socket": "A frame may have at most 1000000 characters. "
        "Send only the last message, and send files to api/files first.",
    }
    assert _said(await chat.state()) == said[client[1]]


async def test_provider_that_breaks_off_leaves_what_it_said(open_chat: OpenChat, visitor: Visitor, peer: Peer) -> None:
    peer.says(*until_delta("chat", "One two three four", "three "), CUT)
    chat = open_chat(visitor, "peer-chat")
    await chat.send("Count!")
    state = await chat.settled()
    metadata = state.messages[-1]["metadata"]
    assert state.text == "One two three "
    assert _said(state) == metadata["error"]
    assert metadata["status"] == rows.answer(visitor.site, visitor.key).status == "truncated"
    assert state.finished == [{"isAbort": False, "isDisconnect": False, "isError": True}]


async def test_provider_that_refuses_says_so_and_can_be_asked_again(
    open_chat: OpenChat, visitor: Visitor, peer: Peer
) -> None:
    peer.answers(Reply(status=500, content_type="application/json", steps=[b"{}"]))
    peer.says(*answer_wire("chat", "Fine."))
    chat = open_chat(visitor, "peer-chat")
    await chat.send("Hello?")
    state = await chat.settled()
    assert state.parts == []
    assert _said(state) == state.messages[-1]["metadata"]["error"]
    await chat.regenerate()
    state = await chat.settled()
    assert (state.status, state.text, len(state.messages)) == ("ready", "Fine.", 2)
