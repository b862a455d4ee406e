"""The pages while the database cannot answer."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import OperationalError
from django.test import AsyncClient, override_settings

from streaming.models import Conversation
from tests.engine import lose_table
from tests.pages import html, send

pytestmark = pytest.mark.usefixtures("engine")
AWAY = "The site&#x27;s database is away. Try again in a moment."


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch) -> None:
    """A database that cannot be reached."""

    def fail(*args: Any, **kwargs: Any) -> None:
        raise OperationalError("connection to server at 10.0.0.1 failed")

    monkeypatch.setattr(Conversation.objects, "owned_by", fail)


@pytest.mark.usefixtures("away")
@pytest.mark.parametrize("path", ["/", "/chat/c1/"])
async def test_a_page_says_that_the_database_is_away(path: str) -> None:
    response = await AsyncClient().get(path)
    assert (response.status_code, response.headers["Retry-After"]) == (503, "2")
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert f"<h1>{AWAY}</h1>" in html(response)
    assert "10.0.0.1" not in html(response)


async def test_a_message_can_be_sent_again_by_a_reload(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*args: Any, **kwargs: Any) -> None:
        raise OperationalError("connection to server at 10.0.0.1 failed")

    monkeypatch.setattr("streaming.supervisor.accepting.in_database", fail)
    response = await send(AsyncClient())
    assert response.status_code == 503
    assert "Reload this page to send the form again." in html(response)


@pytest.mark.parametrize("is_developing", [True, False])
async def test_only_developers_read_that_the_database_is_not_migrated(
    monkeypatch: pytest.MonkeyPatch, *, is_developing: bool
) -> None:
    lose_table(monkeypatch, Conversation)
    with override_settings(DEBUG=is_developing):
        response = await AsyncClient().get("/")
    assert response.status_code == 500
    assert "The site&#x27;s administrator has to fix this." in html(response)
    assert ("Run `manage.py migrate`" in html(response)) is is_developing


@pytest.mark.usefixtures("away")
async def test_a_template_that_reads_the_database_itself_leaves_the_text(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any, **kwargs: Any) -> str:
        raise OperationalError

    monkeypatch.setattr("streaming.views.unavailable.render_to_string", fail)
    response = await AsyncClient().get("/")
    assert response.status_code == 503
    assert html(response) == "The site's database is away. Try again in a moment."
