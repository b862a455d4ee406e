from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError
from django.test import AsyncClient

from streaming.models import Message
from streaming.protocol.parts import ToolCall
from streaming.supervisor import current

pytestmark = pytest.mark.usefixtures("engine")
Script = Callable[..., None]


@pytest.mark.parametrize(
    ("method", "path"),
    [("post", "/api/chat"), ("get", "/api/chat/c"), ("get", "/api/chat/c/stream"), ("post", "/api/chat/c/stop")],
)
async def test_database_that_is_away_is_told_and_not_shown(
    monkeypatch: pytest.MonkeyPatch, method: str, path: str
) -> None:
    async def away(*args: Any, **kwargs: Any) -> None:
        raise OperationalError("connection to server at 10.0.0.1 failed")

    monkeypatch.setattr("streaming.views.api.in_database", away)
    monkeypatch.setattr("streaming.supervisor.in_database", away)
    body = {"data": {"prompt": "Hi"}, "content_type": "application/json"} if method == "post" else {}
    response = await getattr(AsyncClient(), method)(path, **body)
    assert response.status_code == 503
    assert response.content.decode() == "The site's database is away. Try again in a moment."


@pytest.fixture
def client() -> AsyncClient:
    """Somebody's browser."""
    return AsyncClient()


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


async def test_stop_knows_an_answer_of_several_rows_by_its_first(
    client: AsyncClient, scripted: Script, settings: Any
) -> None:
    settings.STREAMING_TOOLS = ["tests.tools.ask_location"]
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
