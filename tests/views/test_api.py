"""The API's views over HTTP: errors, resumed streams and stop requests."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError
from django.test import AsyncClient
from django.utils import timezone

from streaming.access import SessionCheck
from streaming.models import Conversation, Generation, Message
from streaming.protocol import ToolCall
from streaming.protocol.ui_stream import frame
from streaming.supervisor import current
from streaming.views.sse import UI, stream_response
from tests.engine import ALICE, Script, lose_table
from tests.responses import body_of

pytestmark = pytest.mark.usefixtures("engine")


@pytest.mark.parametrize(
    ("method", "path"),
    [("post", "/api/chat"), ("get", "/api/chat/c"), ("get", "/api/chat/c/stream"), ("post", "/api/chat/c/stop")],
)
async def test_database_that_is_away_is_reported_without_its_error(
    monkeypatch: pytest.MonkeyPatch, method: str, path: str
) -> None:
    async def away(*args: Any, **kwargs: Any) -> None:
        raise OperationalError("connection to server at 10.0.0.1 failed")

    for view in ("chat", "conversations"):
        monkeypatch.setattr(f"streaming.views.{view}.in_database", away)
    monkeypatch.setattr("streaming.supervisor.accepting.in_database", away)
    body = {"data": {"prompt": "Hi"}, "content_type": "application/json"} if method == "post" else {}
    response = await getattr(AsyncClient(), method)(path, **body)
    assert response.status_code == 503
    assert response.content.decode() == "The site's database is away. Try again in a moment."


@pytest.mark.parametrize(
    ("method", "path"), [("post", "/api/chat"), ("get", "/api/chat/c"), ("get", "/api/chat/c/stream")]
)
async def test_database_that_is_not_migrated_is_named_in_the_log_and_not_to_people(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, method: str, path: str
) -> None:
    lose_table(monkeypatch, Conversation)
    body = {"data": {"prompt": "Hi"}, "content_type": "application/json"} if method == "post" else {}
    response = await getattr(AsyncClient(), method)(path, **body)
    assert response.status_code == 500
    assert response.content.decode() == "Something is wrong on this site. The site's administrator has to fix this."
    assert "database_not_migrated: A table or a column is missing. Run `manage.py migrate`" in caplog.text
    assert "nowhere" in caplog.text


class BegunAgain:
    """A subscription whose log is lost after its first frame, and made anew."""

    seq = 0
    has_begun_again = False

    async def next(self, seconds: float) -> list[bytes] | None:
        self.has_begun_again = self.seq > 0
        self.seq += 1
        return [frame(1, b'{"type":"start"}')]

    def close(self) -> None: ...


class Anybody(SessionCheck):
    def __init__(self) -> None:
        self.owner = ALICE

    is_due = True

    async def holds(self) -> bool:
        return True


async def test_reader_without_a_number_gets_an_error_when_the_log_begins_again() -> None:
    pieces = stream_response(BegunAgain(), Anybody())
    assert [piece async for piece in pieces] == [frame(1, b'{"type":"start"}'), UI.notice("disconnected")]


async def test_reader_with_a_number_gets_the_log_that_begins_again() -> None:
    pieces = aiter(stream_response(BegunAgain(), Anybody(), comes_back=True))
    assert (await anext(pieces)).startswith(b"retry: ")
    assert [await anext(pieces) for _ in range(3)] == [frame(1, b'{"type":"start"}')] * 3
    await pieces.aclose()


async def test_newest_answer_is_found_by_the_databases_clock(scripted: Callable[..., None]) -> None:
    """The clock of one process was an hour ahead when it took the first message."""
    scripted(text="Hello.")
    client = AsyncClient()
    ends = []
    for prompt in ("One", "Two"):
        response = await client.post("/api/chat", {"prompt": prompt, "id": "c"}, content_type="application/json")
        ends.append(await body_of(response))
    first = await Generation.objects.order_by("started_at").afirst()
    assert first
    await Generation.objects.filter(pk=first.pk).aupdate(created_at=timezone.now() + datetime.timedelta(hours=1))
    missed = await client.get("/api/chat/c/stream", {"after": "2"})
    assert missed.status_code == 200
    frames = await body_of(missed)
    assert frames.partition(b"id: 3\n")[2] == ends[1].partition(b"id: 3\n")[2] != b""


async def ask(client: AsyncClient, **body: Any) -> Any:
    response = await client.post("/api/chat", {"id": "c", **body}, content_type="application/json")
    assert response.status_code == 200, response.content
    return response


async def press_stop(client: AsyncClient, body: Any) -> str:
    body = body if isinstance(body, str) else json.dumps(body)
    response = await client.post("/api/chat/c/stop", body, content_type="application/json")
    assert response.status_code == 200, response.content
    status: str = response.json()["status"]
    return status


async def newest_answer() -> Message:
    return await Message.objects.filter(role="assistant").select_related("generation").order_by("created_at").alast()


@pytest.mark.parametrize(
    "name",
    [
        lambda answer: {"messageId": answer},
        lambda answer: {"assistantMessage": {"id": answer, "role": "assistant", "parts": []}, "activeStreamId": None},
    ],
)
async def test_stop_that_comes_late_does_not_end_a_newer_answer(
    client: AsyncClient, scripted: Script, name: Callable[[str], Any]
) -> None:
    await ask(client, prompt="Hi")
    await current().idle()
    older = (await newest_answer()).public_id
    scripted(text="one two three four", hang_after=2)
    await ask(client, prompt="And?")
    assert await press_stop(client, name(older)) == "not_running"
    assert (await newest_answer()).generation.is_active
    assert await press_stop(client, name((await newest_answer()).public_id)) == "stopping"
    await current().idle()
    assert (await newest_answer()).generation.status == "cancelled"


@pytest.mark.parametrize(
    "body",
    ["", "no JSON", "[]", "{}", {"messageId": None}, {"messageId": 3}, {"assistantMessage": None}, "x" * 3_000_000],
)
async def test_stop_that_names_no_answer_ends_the_one_that_runs(
    client: AsyncClient, scripted: Script, body: Any
) -> None:
    scripted(text="one two three four", hang_after=2)
    await ask(client, prompt="Hi")
    assert await press_stop(client, body) == "stopping"


@pytest.mark.parametrize("odd", [5, {"a": 1}, [{"name": "get_weather"}]], ids=str)
async def test_conversation_whose_tools_cannot_be_read_goes_on_without_tools(client: AsyncClient, odd: Any) -> None:
    await ask(client, prompt="Hi")
    await current().idle()
    await Conversation.objects.aupdate(tools=odd)
    response = await ask(client, prompt="Hi again")
    assert response.status_code == 200
    await current().idle()
    assert (await newest_answer()).generation.status == "finished"


async def test_stop_names_an_answer_of_several_rows_by_its_first_row(
    client: AsyncClient, scripted: Script, settings: Any
) -> None:
    settings.STREAMING_TOOLS = ["tests.sample_tools.ask_location"]
    call = {"name": "ask_location", "arguments": {}}
    scripted(text="Let me see.", tool_calls=[call])
    await ask(client, prompt="Where am I?")
    await current().idle()
    first = await newest_answer()
    scripted(text="one two three four", tool_calls=[call], hang_after=2)
    part = {"type": "tool-ask_location", "state": "output-available", "output": "Oslo"}
    part["toolCallId"] = next(part.id for part in first.typed_parts if isinstance(part, ToolCall))
    await ask(client, messages=[{"id": first.public_id, "role": "assistant", "parts": [part]}])
    assert await press_stop(client, {"messageId": (await newest_answer()).public_id}) == "not_running"
    assert await press_stop(client, {"messageId": first.public_id}) == "stopping"
