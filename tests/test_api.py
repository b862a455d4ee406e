from __future__ import annotations

from typing import Any

import pytest
from django.db import OperationalError
from django.test import AsyncClient

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
