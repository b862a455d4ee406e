"""The work that every endpoint does for its view: methods, headers, logins and transactions."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.db import connections
from django.test import AsyncClient

from streaming.database import in_database
from streaming.models import Generation
from streaming.urls import urlpatterns
from tests.pages import answered

pytestmark = pytest.mark.usefixtures("engine")
GETS = ["/api/chat/c1", "/api/chat/c1/stream?after=0"]


@pytest.fixture(autouse=True)
def anonymous(settings: Any) -> None:
    settings.STREAMING_ALLOW_ANONYMOUS = True


@pytest.mark.parametrize("path", GETS)
async def test_head_gives_the_headers_of_get_without_its_body(path: str) -> None:
    client = AsyncClient()
    await answered(client)
    got, head = await client.get(path), await client.head(path)
    if got.streaming:
        got.close()
    assert (head.status_code, head.content) == (got.status_code, b"")
    assert head.headers["Content-Type"] == got.headers["Content-Type"]


async def test_head_of_a_form_endpoint_is_not_allowed() -> None:
    response = await AsyncClient().head("/api/files")
    assert (response.status_code, response.headers["Allow"]) == (405, "POST")


@pytest.mark.parametrize("path", ["/api/chat/c1", "/api/chat/nobody"])
async def test_personal_json_and_refusals_are_stored_by_no_cache(path: str) -> None:
    client = AsyncClient()
    await answered(client)
    assert (await client.get(path)).headers["Cache-Control"] == "private, no-store"


async def test_endpoints_answer_strangers_themselves_where_the_site_demands_a_login(settings: Any) -> None:
    settings.STREAMING_ALLOW_ANONYMOUS = False
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "django.contrib.auth.middleware.LoginRequiredMiddleware"]
    response = await AsyncClient().post("/api/chat", {"prompt": "Hi"}, content_type="application/json")
    assert (response.status_code, response.content) == (401, b"Sign in to chat.")
    assert not await in_database(Generation.objects.exists)


REFUSED = {
    "/api/chat": {"prompt": ""},
    "/api/chat/c1/stop": {},
    "/api/chat/c1/branch": {"messageId": "m"},
    "/chat/c1/send/": {"prompt": ""},
}


@pytest.mark.parametrize("path", REFUSED)
@pytest.mark.parametrize("headers", [{}, {"Sec-Fetch-Site": "cross-site"}])
async def test_refused_request_of_a_stranger_writes_no_session(path: str, headers: dict[str, str]) -> None:
    kind = {} if path.endswith("/send/") else {"content_type": "application/json"}
    response = await AsyncClient().post(path, REFUSED[path], headers=headers, **kind)
    assert 400 <= response.status_code < 500
    assert not response.cookies.get("sessionid")
    assert not await in_database(Session.objects.exists)


async def test_accepted_request_makes_its_sender_a_known_visitor() -> None:
    client = AsyncClient()
    await answered(client)
    assert (await client.get("/api/chat/c1")).status_code == 200
    assert await in_database(Session.objects.count) == 1


def test_every_view_is_exempt_from_atomic_requests_on_every_database() -> None:
    for pattern in urlpatterns:
        exempt = getattr(pattern.callback, "_non_atomic_requests", set())
        assert exempt >= set(connections), pattern.name
