"""The stream as a person sees it who has nothing but curl."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.engine import run_until
from tests.live import rows
from tests.live.client import Stream, Visit, Visitor, assert_whole
from tests.live.providers import DIALECTS
from tests.live.wires import answer_wire
from tests.peers import HANG, Peer
from tests.servers import Site

HEADERS = {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "private, no-cache, no-transform",
    "x-accel-buffering": "no",
    "content-encoding": "identity",
    "x-vercel-ai-ui-message-stream": "v1",
}


async def _curl(site: Site, head: Path, **body: str) -> AsyncIterator[bytes]:
    """Returns the body as curl gets it. The head of the response goes to the file `head`."""
    command = ("curl", "-sSN", "-D", str(head), "-d", json.dumps(body), f"{site.url}/api/chat")
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    while piece := await process.stdout.read(65536):
        yield piece
    assert await process.wait() == 0


def _headers(head: Path) -> dict[str, str]:
    lines = head.read_text().strip().splitlines()
    assert lines[0].split()[1] == "200", lines
    return {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}


@pytest.mark.local_model
@pytest.mark.parametrize("dialect", DIALECTS)
async def test_answer_of_a_real_model_arrives_in_curl_as_it_is_written(
    every_site: Site, dialect: str, tmp_path: Path
) -> None:
    key = uuid.uuid4().hex
    body = _curl(every_site, tmp_path / "head", id=key, prompt="What colour is the sky?", provider=f"local-{dialect}")
    stream = await Stream(body).whole()
    assert_whole(stream)
    assert stream.types[:3] == ["start", "start-step", "text-start"]
    assert stream.types[-3:] == ["text-end", "finish-step", "finish"]
    assert _headers(tmp_path / "head").items() >= HEADERS.items()
    deltas = [frame.at for frame in stream.frames if frame.chunk["type"] == "text-delta"]
    assert len(deltas) >= 5
    assert len(set(deltas)) >= 5, "they arrived in bursts"
    assert rows.answer(every_site, key).text == stream.text


async def test_prompt_is_all_that_curl_needs_to_send(every_site: Site, tmp_path: Path) -> None:
    stream = await Stream(_curl(every_site, tmp_path / "head", prompt="Hello?")).whole()
    assert_whole(stream)
    assert stream.text == "Hello from the script."


async def test_silence_is_filled_with_heartbeats(every_site: Site, peer: Peer, visit: Visit) -> None:
    peer.says(*answer_wire("chat", "One two")[:3], HANG)
    visitor = visit(every_site)
    stream = await visitor.ask("Hello?", "peer-chat")
    await stream.until("text-delta")
    del stream.heartbeats[:]  # the first connection of a provider is slow
    reading = asyncio.create_task(stream.whole())
    await run_until(lambda: len(stream.heartbeats) == 3)
    assert await visitor.stop() == "stopping"
    await reading
    assert_whole(stream)
    first, _, third = stream.heartbeats[:3]
    assert third - first > 0.4, "one is sent after every 0.3 seconds of silence"


async def test_stream_has_a_clear_first_frame_before_the_model_says_anything(visitor: Visitor, peer: Peer) -> None:
    peer.says(HANG)
    stream = await asyncio.wait_for(visitor.ask("Hello?", "peer-chat"), 20)
    await asyncio.wait_for(stream.until("start-step"), 20)
    assert stream.frames[0].chunk["messageId"]
    await visitor.stop()
    await stream.whole()
    assert stream.types == ["start", "start-step", "finish-step", "abort", "finish"]
