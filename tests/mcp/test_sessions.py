"""Sessions with real servers: they list, they answer, they die, and they are asked again."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("mcp", reason="the extra mcp is not installed")

import httpx2

from streaming import mcp
from streaming.mcp import registry, session
from streaming.mcp.calls import AWAY, LOST
from streaming.mcp.connection import MAX_RETRY_SECONDS, MOST_DOUBLINGS, RETRY_SECONDS
from streaming.mcp.transport import News
from tests.engine import run_until
from tests.mcp.conftest import ENVIRONMENT, Connect, call, counted, counts, http_server, is_alive
from tests.servers import ROOT, free_port


async def test_life_of_a_session(connect: Connect, entry: dict[str, Any], caplog: pytest.LogCaptureFixture) -> None:
    await connect(t=entry)
    tools = {tool.name: tool for tool in mcp.remote_tools().values()}
    assert tools["echo"].spec.parameters["properties"]["text"] == {"title": "Text", "type": "string"}
    assert [tools[name].needs_approval for name in ("echo", "add.numbers", "fail")] == [False, False, True]
    assert await call("echo", text="Grüße") == "Grüße"
    assert await call("add.numbers", a=1, b=2) == {"sum": 3}
    assert await call("picture") == "Here:\n[picture, image/png, 9 bytes: not shown here]"
    assert await call("fail", text="ghp_0123456789") == "error: Error executing tool fail"

    server, (begun, cancelled) = await call("pid"), await counts()
    waiting = asyncio.create_task(call("slow", seconds=60))
    await counted(begun + 1, cancelled)
    waiting.cancel()
    await counted(begun + 1, cancelled + 1)  # the server was told that nobody waits
    assert await call("pid") == server, "the connection survives"

    name = f"later_{len(mcp.remote_tools())}"
    await call("grow", tool=name)
    await run_until(lambda: f"t__{name}" in mcp.remote_tools())
    assert ENVIRONMENT["SITE_KEY"] not in caplog.text


async def test_list_that_does_not_end_is_cut_and_that_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    class Endless:
        pages = 0

        async def list_tools(self, cursor: str | None) -> Any:
            self.pages += 1
            return SimpleNamespace(tools=[], next_cursor="more")

    client: Any = Endless()
    assert await session._tools(mcp.Server(name="t"), client) == ()
    assert client.pages == session.MAX_PAGES
    assert "The tools of MCP server 't' fill more than 100 pages. Those on later pages are left out." in caplog.text


async def test_only_a_request_of_the_session_says_that_it_is_forgotten() -> None:
    for method, status, header, forgotten in (
        ("POST", 404, "mcp-session-id", True),
        ("GET", 404, "mcp-session-id", False),  # some servers route only POST
        ("POST", 404, "x", False),
        ("POST", 400, "mcp-session-id", False),
    ):
        news = News()
        await news.see(httpx2.Response(status, request=httpx2.Request(method, "http://m/", headers={header: "s"})))
        assert news.has_forgotten == forgotten, (method, status, header)


def test_pause_is_bounded_after_a_weekend() -> None:
    assert RETRY_SECONDS * 2**MOST_DOUBLINGS >= MAX_RETRY_SECONDS


@pytest.mark.usefixtures("handshake")
async def test_http_server_that_is_started_again_is_found_again(connect: Connect) -> None:
    port = free_port()
    with http_server(port) as address:
        await connect(t={"url": address, "headers": {"authorization": "Bearer of-the-test-of-restarts"}})
        assert await call("echo", text="Hi") == "Hi"
    with http_server(port):
        assert await call("echo", text="Hi") == "Hi", "the new server does not know the session, and executes nothing"
        assert await call("die") == f"error: {LOST}"
        assert await call("echo", text="Hi") in (f"error: {AWAY}", f"error: {LOST}")


async def test_servers_that_cannot_be_reached_are_left_out_and_logged_once(
    connect: Connect,
    http_address: str,
    unused_tcp_port: int,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("streaming.mcp.connection.RETRY_SECONDS", 0.001)
    monkeypatch.setattr("streaming.mcp.connection.MAX_RETRY_SECONDS", 0.001)
    away = {"url": f"http://secret-user:secret-password@127.0.0.1:{unused_tcp_port}/mcp"}
    await connect(
        gone={"command": "/nowhere/secret-command"}, away=away, exits={"command": "true"}, t={"url": http_address}
    )
    assert {tool.server for tool in mcp.remote_tools().values()} == {"t"}
    tries = [registry.connect()[name] for name in ("gone", "away", "exits")]
    await run_until(lambda: all(one._failures > 2 for one in tries))
    told = [record.getMessage() for record in caplog.records if record.name.startswith("streaming.mcp")]
    form = re.compile(r"MCP server '(\w+)' cannot be reached \(\w+\)\. It is asked again from time to time\.")
    assert sorted(match[1] for text in told if (match := form.fullmatch(text))) == ["away", "exits", "gone"]
    assert len(told) == 3
    assert "secret" not in " ".join(told)


@pytest.mark.usefixtures("handshake")
async def test_event_that_is_too_large_fails_its_call_alone(connect: Connect, http_address: str) -> None:
    """The package reads no server-sent event above 1 MiB."""
    await connect(t={"url": http_address})
    async with asyncio.timeout(20):
        told = await call("huge", size=2_000_000)
    assert len(told) < 1_000, told[:200]
    assert told.startswith("error: ")
    assert await call("echo", text="Hi") == "Hi"


async def test_logs_show_neither_the_url_of_a_server_nor_its_session(
    connect: Connect, http_address: str, caplog: pytest.LogCaptureFixture, handshake: None
) -> None:
    caplog.set_level(logging.DEBUG)
    await connect(t={"url": f"{http_address}?key=of-the-test-of-logs"})
    assert await call("echo", text="Hi") == "Hi"
    told = [record.getMessage() for record in caplog.records if record.name == "httpx2"]
    origin = http_address.removesuffix("mcp")
    assert f'HTTP Request: POST {origin}… "HTTP/1.1 200 OK"' in told
    assert "of-the-test-of-logs" not in caplog.text
    assert "session ID" not in caplog.text


def test_logs_of_others_stay(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    url = httpx2.URL("https://example.com/path?key=1")
    logging.getLogger("httpx2").info("HTTP Request: %s %s", "GET", url)
    logging.getLogger("client").info("Of the site")
    assert [record.getMessage() for record in caplog.records] == [f"HTTP Request: GET {url}", "Of the site"]


def test_same_trouble_of_a_package_is_logged_once_in_a_while(caplog: pytest.LogCaptureFixture) -> None:
    """A command that prints rubbish without end must not fill the disk."""
    for _ in range(1000):
        logging.getLogger("mcp.client.stdio").error("Rubbish of the test")
    assert caplog.text.count("Rubbish of the test") == 1


async def test_server_that_is_silent_does_not_hold_up_the_first_answer(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "READY_SECONDS", 0.1)
    await connect(t={"command": "cat"})  # it says again what it is told
    assert mcp.remote_tools() == {}


class _Farewell:
    """A client whose server never answers the end of a session."""

    def __init__(self, *given: Any, **more: Any) -> None: ...

    async def __aenter__(self) -> Any:
        return self

    async def list_tools(self, **given: Any) -> Any:
        return SimpleNamespace(tools=(), next_cursor=None)

    async def __aexit__(self, *exc_info: Any) -> None:
        await asyncio.sleep(3600)


async def test_farewell_that_is_not_answered_does_not_hold_up_the_next_session(monkeypatch: pytest.MonkeyPatch) -> None:
    async def serve(self: Any) -> None: ...

    monkeypatch.setattr(session, "Client", _Farewell)
    monkeypatch.setattr(session, "LEAVE_SECONDS", 0.05)
    monkeypatch.setattr(session._Session, "serve", serve)
    async with asyncio.timeout(10):
        with pytest.raises(TimeoutError):
            await session.hold(mcp.Server(name="t", url="http://h/"), asyncio.Queue(), lambda tools: None)


HOST = """
import asyncio, os, django
os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
django.setup()
from django.test import override_settings
from streaming import mcp
from streaming.mcp import registry
from tests.mcp.conftest import call, stdio_entry

async def main():
    registry.READY_SECONDS = 30
    await mcp.ready()
    print(await call("pid"), flush=True)
    await asyncio.sleep(60)

with override_settings(STREAMING_MCP_SERVERS={"t": stdio_entry()}):
    asyncio.run(main())
"""


async def test_command_ends_with_a_process_that_is_killed() -> None:
    environment = os.environ | ENVIRONMENT
    with subprocess.Popen(  # noqa: ASYNC220  # its one line is read in a thread
        [sys.executable, "-c", HOST], stdout=subprocess.PIPE, env=environment, cwd=ROOT
    ) as host:
        assert host.stdout is not None
        pid = int(await asyncio.to_thread(host.stdout.readline))
        assert is_alive(pid)
        host.kill()
    await run_until(lambda: not is_alive(pid))
