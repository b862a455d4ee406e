"""A process that ends while a tool works: the call is not made again, and the model is told that it was cut off."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest

from streaming.protocol.requests.repair import NOT_EXECUTED
from streaming.tools import BROKEN_OFF
from tests.live import rows
from tests.live.client import Visit
from tests.live.wires import answer_wire
from tests.peers import Peer
from tests.servers import Site, serve

SETTINGS = '{"STREAMING_LEASE_SECONDS": 1, "STREAMING_SWEEP_SECONDS": 0.5, "STREAMING_DRAIN_SECONDS": 0.5}'
WORKING = ("call_s", "waits", ("{}",))
JOURNAL = "SELECT frames FROM streaming_journalentry"
DONE = ("call_o", "get_weather", ('{"city": "Oslo"}',))


@pytest.mark.parametrize(
    ("number", "told"), [(signal.SIGKILL, NOT_EXECUTED), (signal.SIGTERM, BROKEN_OFF)], ids=["killed", "drained"]
)
async def test_tool_that_was_at_work_is_not_called_again(
    visit: Visit, peer: Peer, tmp_path: Path, number: signal.Signals, told: str
) -> None:
    peer.says(*answer_wire("chat", "Wait. ", DONE, WORKING))
    peer.says(*answer_wire("chat", "Fine."))
    env = {"LIVE_PEER_URL": peer.url, "LIVE_SETTINGS": SETTINGS}
    with serve("uvicorn", tmp_path, settings="tests.live.settings", env=env) as site:
        visitor = visit(site)
        stream = await visitor.ask("Wait for me.", "tools-chat")
        await stream.until("tool-output-available")
        await _is_stored(site)
        site.send_signal(number)
        await asyncio.to_thread(site.process.wait, 20)
    with serve("uvicorn", tmp_path, settings="tests.live.settings", env=env, instead_of=site):
        await visitor.conversation()  # a process begins to sweep with its first request
        stored = await rows.settled(site, visitor.key)
        assert stored.status == "interrupted"
        assert next(part["call_id"] for part in stored.parts if part["type"] == "tool-result") == "call_o"
        assert len(peer.requests) == 1
        again = await (await visitor.ask("And now?", "tools-chat")).whole()
        assert again.text == "Fine."
    results = {
        turn["tool_call_id"]: turn["content"] for turn in peer.requests[-1].json["messages"] if turn["role"] == "tool"
    }
    assert results == {"call_o": '{"city":"Oslo","days":1,"sky":"clear"}', "call_s": told}


async def _is_stored(site: Site) -> None:
    """Waits until the journal has the output of the one tool. The other one has begun before."""
    async with asyncio.timeout(10):
        while not any(b"tool-output-available" in row["frames"] for row in rows.select(site, JOURNAL)):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
