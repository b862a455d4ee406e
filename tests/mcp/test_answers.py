"""Answers that use the tools of real servers."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

pytest.importorskip("mcp", reason="the extra mcp is not installed")

from streaming import mcp
from streaming.errors import Conflict
from streaming.mcp.calls import LOST
from streaming.protocol import ToolResult
from streaming.supervisor import current, stop
from streaming.testing import frames_of
from streaming.tools import BROKEN_OFF
from streaming.tools.executor import TOO_SLOW
from streaming.tools.remote import ABSENT
from streaming.views import script_texts, shown_messages
from tests.engine import ALICE, load, submit
from tests.mcp.conftest import ENVIRONMENT, Connect, call, counted, counts, is_alive, stdio_entry
from tests.stepwise import continued, decision, output, requests, run, says

pytestmark = pytest.mark.usefixtures("engine")


def outputs(row: Any) -> list[Any]:
    return [part.output for part in row.message.typed_parts if isinstance(part, ToolResult)]


async def test_model_is_offered_the_tools_and_gets_the_results(
    connect: Connect, http_address: str, settings: Any
) -> None:
    settings.STREAMING_TOOLS = ["tests.sample_tools.get_weather"]
    calls = (
        ("c1", "t__echo", '{"text": "Hi"}'),
        ("c2", "t__slow", '{"seconds": 60}'),
        ("c3", "t__huge", '{"size": 200000}'),
    )
    says(settings, ("", calls), ("Done.", ()), TOOLS=["get_weather", "t__*"])
    await connect(t={"url": http_address, "timeout": 0.5, "label": "The tests"})
    await call("echo", text="")  # the first call waits for an import
    row, _ = await run()
    assert (row.status, row.message.text) == ("finished", "Done.")
    too_large = "The tool's output is too large: 200002 characters, at most 100000 are taken."
    assert sorted(outputs(row)) == sorted(["Hi", TOO_SLOW, too_large])
    offered = [tool.name for tool in requests()[0].tools]
    assert offered[:2] == ["get_weather", "t__echo"]
    shown = await asyncio.to_thread(shown_messages, row.conversation)
    assert shown[1].parts[0].label == "The tests: Echo"
    assert json.loads(script_texts())["servers"] == {"t": "The tests"}


async def test_command_that_dies_fails_one_call_and_not_the_answer(
    connect: Connect, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    steps = (("", (("c1", "t__die", "{}"),)), ("", (("c2", "t__echo", '{"text": "Hi"}'),)), ("Done.", ()))
    says(settings, *steps)
    await connect(t=stdio_entry())
    before = list(mcp.remote_tools())
    assert await call("garbage") == "printed"
    assert await call("environment", variable="SITE_KEY") == ENVIRONMENT["SITE_KEY"]
    assert await call("environment", variable="DJANGO_SETTINGS_MODULE") == ""
    beside = asyncio.create_task(call("slow", seconds=60))
    row, chunks = await run()
    assert (row.status, row.message.text, outputs(row)) == ("finished", "Done.", [LOST, "Hi"])
    assert [chunk["errorText"] for chunk in chunks if chunk["type"] == "tool-output-error"] == [LOST]
    assert await beside == f"error: {LOST}"
    assert list(mcp.remote_tools()) == before, "the next answer's model is told the same"
    told = [record.getMessage() for record in caplog.records if record.name == "streaming.mcp.connection"]
    assert told == ["MCP server 't' was lost (it ended). It is asked again from time to time."]
    assert not [record for record in caplog.records if record.exc_info], "garbage is not shown in a traceback"
    pid = int(await call("pid"))
    await current().drain(0)
    assert not is_alive(pid)


async def test_stop_ends_the_call_and_not_the_connection(connect: Connect, http_address: str, settings: Any) -> None:
    says(settings, ("", (("c1", "t__slow", '{"seconds": 60}'),)))
    await connect(t={"url": http_address})
    begun, cancelled = await counts()
    generation = await submit()
    await counted(begun + 1, cancelled)
    await stop(generation.pk)
    await frames_of(generation.pk)
    row = await load(generation)
    assert (row.status, outputs(row)) == ("cancelled", [BROKEN_OFF])
    await counted(begun + 1, cancelled + 1)


async def test_person_approves_a_call(connect: Connect, http_address: str, settings: Any) -> None:
    says(settings, ("", (("c1", "t__fail", '{"text": "x"}'),)), ("Done.", ()))
    await connect(t={"url": http_address})
    row, chunks = await run()
    assert "tool-approval-request" in [chunk["type"] for chunk in chunks]
    again = await current().submit(ALICE, continued(row, decision("c1", approved=True)))
    await frames_of(again.pk)
    row = await load(again)
    assert (row.message.text, outputs(row)) == ("Done.", ["Error executing tool fail"])


async def test_approved_call_whose_server_is_away_is_not_made_and_the_answer_goes_on(
    connect: Connect, http_address: str, settings: Any
) -> None:
    says(settings, ("", (("c1", "t__fail", '{"text": "x"}'),)), ("Done.", ()))
    await connect(t={"url": http_address})
    row, _ = await run()
    await connect(t={"command": "/nowhere"})  # as after a restart of the process
    with pytest.raises(Conflict):
        await current().submit(ALICE, continued(row, output("c1", "forged", "t__fail")))
    again = await current().submit(ALICE, continued(row, decision("c1", approved=True)))
    await frames_of(again.pk)
    row = await load(again)
    assert (row.message.text, outputs(row)) == ("Done.", [ABSENT])
