"""`one_trip`: how often a request goes to its thread."""

from __future__ import annotations

from typing import Any

import pytest
from asgiref.sync import SyncToAsync
from django.test import AsyncClient

from tests.serving.middleware import SyncOnly

pytestmark = pytest.mark.django_db(transaction=True)

ONE_TRIP = "streaming.middleware.one_trip"


@pytest.fixture
def trips(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the functions that are called on a request's thread."""
    made: list[str] = []
    go = SyncToAsync.__call__

    async def note(self: SyncToAsync[Any, Any], *args: Any, **kwargs: Any) -> Any:
        made.append(getattr(self, "__name__", repr(self.func)))
        return await go(self, *args, **kwargs)

    monkeypatch.setattr(SyncToAsync, "__call__", note)
    return made


async def _ask() -> bytes:
    body = {"id": "c1", "prompt": "Hello"}
    response: Any = await AsyncClient().post("/api/chat", body, content_type="application/json")
    assert response.status_code == 200
    return b"".join([piece async for piece in response])  # without a trip to close it


async def test_middleware_takes_one_trip(settings: Any, trips: list[str]) -> None:
    assert b"[DONE]" in await _ask()
    usual, trips[:] = list(trips), []
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, ONE_TRIP]
    assert b"[DONE]" in await _ask()
    assert (len(usual), len(trips)) == (14, 4)


async def test_other_synchronous_middleware_may_stand_before_it(settings: Any, trips: list[str]) -> None:
    settings.MIDDLEWARE = [f"{SyncOnly.__module__}.SyncOnly", *settings.MIDDLEWARE, ONE_TRIP]
    assert b"[DONE]" in await _ask()
    assert len(trips) <= 4
