"""A finished answer: the stream, the rows and the loaded conversation have exactly the same text."""

from __future__ import annotations

import asyncio
import time

import pytest

from tests.live import rows
from tests.live.client import Visitor, assert_whole
from tests.live.providers import DIALECTS
from tests.live.wires import answer_wire, event, until_delta
from tests.peers import HANG, Peer

# Characters that often break encodings, framings, templates and databases.
NASTY = (
    "Grüße, 世界! 👩‍👩‍👧 e\u0301 \u2028\u2029 \ufeff\u00a0 data: [DONE] id: 7 \n\nevent: x\r\n\r\n"
    'tab\there "quoted" \\n \\u0041 </script><!-- &amp; {{ x }} {% y %} \x7f end '
)

# One of the few questions that the small model answers in eight tokens.
CAPITAL = "What is the capital of France?"


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_every_character_arrives_and_is_kept(visitor: Visitor, peer: Peer, dialect: str) -> None:
    body = b"".join(answer_wire(dialect, NASTY * 3))
    peer.says(*(body[start : start + 7] for start in range(0, len(body), 7)))
    stream = await (await visitor.ask("Hello?", f"peer-{dialect}")).whole()
    assert_whole(stream)
    assert stream.text == NASTY * 3
    stored = rows.answer(visitor.site, visitor.key)
    assert stored.text == NASTY * 3
    assert [(part["type"], part["text"]) for part in stored.parts] == [("text", NASTY * 3)]
    question, answer = (await visitor.conversation())["messages"]
    assert question["parts"] == [{"type": "text", "text": "Hello?", "state": "done"}]
    assert answer["parts"] == [{"type": "text", "text": NASTY * 3, "state": "done"}]


@pytest.mark.local_model
@pytest.mark.parametrize("dialect", DIALECTS)
async def test_answer_of_a_real_model_is_stored_with_its_figures(visitor: Visitor, dialect: str) -> None:
    began = time.monotonic()
    stream = await (await visitor.ask(CAPITAL, f"long-{dialect}")).whole()
    elapsed = 1000 * (time.monotonic() - began)
    assert_whole(stream)
    stored = rows.answer(visitor.site, visitor.key)
    row = stored.generation
    assert [(part["type"], part["text"]) for part in stored.parts] == [("text", stream.text)]
    assert (stored.status, row["finish_reason"], row["error_code"]) == ("finished", "stop", "")
    assert row["model"] == "SmolLM2-135M-Instruct"
    assert 10 <= row["input_tokens"] + (row["cached_input_tokens"] or 0) <= 200
    assert 1 <= row["output_tokens"] <= 60
    assert 0 < row["first_delta_ms"] <= row["duration_ms"] <= elapsed
    assert row["last_seq"] == len(stream.frames)
    (_, answer) = (await visitor.conversation())["messages"]
    assert answer["id"] == stream.chunks[0]["messageId"]
    assert answer["parts"] == [{"type": "text", "text": stream.text, "state": "done"}]
    assert answer["metadata"] == stream.chunks[-1]["messageMetadata"]
    assert answer["metadata"]["usage"]["outputTokens"] == row["output_tokens"]
    assert stream.chunks[-1]["finishReason"] == "stop"


@pytest.mark.local_model
@pytest.mark.parametrize("dialect", ["chat", "messages"])
async def test_answer_of_a_real_model_cut_at_the_token_limit_says_so(visitor: Visitor, dialect: str) -> None:
    stream = await (await visitor.ask("Tell me about the sea.", f"brief-{dialect}")).whole()
    row = rows.answer(visitor.site, visitor.key).generation
    assert (row["status"], row["finish_reason"], row["output_tokens"]) == ("finished", "length", 8)
    assert stream.chunks[-1]["finishReason"] == "length"


async def test_response_cut_at_the_token_limit_says_so(visitor: Visitor, peer: Peer) -> None:
    """The local model's server reports every answer as complete in this dialect.

    So a peer sends the vendor's own words.
    """
    *body, _ = answer_wire("responses", "The sea is")
    usage = {"input_tokens": 3, "output_tokens": 8}
    cut = {"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}, "usage": usage}
    peer.says(*body, event({"type": "response.incomplete", "response": cut}, "response.incomplete"))
    stream = await (await visitor.ask("Tell me about the sea.", "peer-responses")).whole()
    row = rows.answer(visitor.site, visitor.key).generation
    assert (row["status"], row["finish_reason"], row["output_tokens"]) == ("finished", "length", 8)
    assert stream.chunks[-1]["finishReason"] == "length"


async def test_model_is_told_what_was_said_before(visitor: Visitor, peer: Peer) -> None:
    peer.says(*answer_wire("chat", "Blue."))
    for prompt in ("Which colour?", "And why?"):
        await (await visitor.ask(prompt, "peer-chat")).whole()
    assert peer.requests[1].json["messages"] == [
        {"role": "user", "content": "Which colour?"},
        {"role": "assistant", "content": "Blue."},
        {"role": "user", "content": "And why?"},
    ]
    assert [message["role"] for message in (await visitor.conversation())["messages"]] == ["user", "assistant"] * 2


async def test_row_says_how_far_the_answer_is(visitor: Visitor, peer: Peer) -> None:
    peer.says(*until_delta("chat", "One two three", "two "), HANG)
    stream = await (await visitor.ask("Count!", "peer-chat")).until("text-delta", 2)
    began = time.monotonic()
    while (stored := rows.answer(visitor.site, visitor.key)).status == "pending":
        assert time.monotonic() - began < 30
        await asyncio.sleep(0.02)
    assert (stored.status, stored.generation["finished_at"]) == ("running", None)
    assert stored.generation["created_at"] <= stored.generation["started_at"]
    await visitor.stop()
    await stream.whole()
    row = rows.answer(visitor.site, visitor.key).generation
    assert row["started_at"] == stored.generation["started_at"] <= row["finished_at"]
