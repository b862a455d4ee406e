from __future__ import annotations

import datetime
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError
from django.test import AsyncClient
from django.utils import timezone

from streaming.asgi import StreamingApplication
from streaming.database import weather
from streaming.journal.redis import seize
from streaming.models import Generation
from streaming.protocol.ui_stream import frame
from streaming.views.passes import Pass
from streaming.views.sse import ERROR, _pieces
from tests.engine import ALICE

pytestmark = pytest.mark.usefixtures("engine")


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


class BegunAgain:
    """A subscription whose log is lost after its first frame, and made anew."""

    seq = 0
    has_begun_again = False

    async def next(self, seconds: float) -> list[bytes] | None:
        self.has_begun_again = self.seq > 0
        self.seq += 1
        return [frame(1, b'{"type":"start"}')]

    def close(self) -> None: ...


class Anybody(Pass):
    def __init__(self) -> None:
        self.owner = ALICE

    async def holds(self) -> bool:
        return True


async def test_who_has_no_number_is_not_told_the_answer_twice() -> None:
    pieces = _pieces(BegunAgain(), Anybody(), comes_back=False)
    assert [piece async for piece in pieces] == [frame(1, b'{"type":"start"}'), ERROR]


async def test_who_comes_back_with_a_number_is_told_the_log_anew() -> None:
    pieces = _pieces(BegunAgain(), Anybody(), comes_back=True)
    assert [await anext(pieces) for _ in range(3)] == [frame(1, b'{"type":"start"}')] * 3
    await pieces.aclose()


async def test_newest_answer_is_told_by_the_databases_clock(scripted: Callable[..., None]) -> None:
    """One process was an hour ahead when it took the first message."""
    scripted(text="Hello.")
    client = AsyncClient()
    ends = []
    for prompt in ("One", "Two"):
        response = await client.post("/api/chat", {"prompt": prompt, "id": "c"}, content_type="application/json")
        ends.append(b"".join([piece async for piece in response]))  # type: ignore[attr-defined]
    first = await Generation.objects.order_by("started_at").afirst()
    assert first
    await Generation.objects.filter(pk=first.pk).aupdate(created_at=timezone.now() + datetime.timedelta(hours=1))
    missed = await client.get("/api/chat/c/stream", {"after": "2"})
    assert missed.status_code == 200
    frames = b"".join([piece async for piece in missed])  # type: ignore[attr-defined]
    assert frames.partition(b"id: 3\n")[2] == ends[1].partition(b"id: 3\n")[2] != b""


async def test_dead_are_settled_at_once_although_redis_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def hangs(*args: Any, **kwargs: Any) -> None:
        asked.append(args)
        raise OSError

    monkeypatch.setattr("streaming.journal.redis.BlockingRedis.from_url", hangs)
    monkeypatch.setattr("streaming.journal.redis._seizing.away_until", 0.0)
    for _ in range(5):
        assert seize("redis://localhost", "streaming:", uuid.uuid4(), 0) == []
    assert len(asked) == 1


async def test_server_that_begins_holds_nobody_for_dead_yet() -> None:
    async def nothing(*args: Any) -> None: ...

    weather.clear_up()
    assert weather.has_been_fine_for(5)
    StreamingApplication(nothing)
    assert not weather.has_been_fine_for(5)
