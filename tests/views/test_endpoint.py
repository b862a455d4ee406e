"""The work that every endpoint does for its view: methods, headers, logins and transactions."""

from __future__ import annotations

import itertools
import re
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.db import connections
from django.test import AsyncClient

from streaming.database import in_database
from streaming.models import Generation
from streaming.urls import urlpatterns
from tests.pages import answered
from tests.sent_files import post_file

pytestmark = pytest.mark.usefixtures("engine")
GETS = ["/api/chat/c1", "/api/chat/c1/stream?after=0"]


@pytest.mark.parametrize("path", GETS)
async def test_head_gives_the_headers_of_get_without_its_body(path: str) -> None:
    client = AsyncClient()
    await answered(client)
    got, head = await client.get(path), await client.head(path)
    if got.streaming:
        got.close()
    assert (head.status_code, head.getvalue()) == (got.status_code, b"")
    for name in ("Content-Type", "Content-Length"):
        assert head.headers.get(name) == got.headers.get(name), name


async def test_head_of_a_file_tells_its_length() -> None:
    client = AsyncClient()
    url = (await post_file(client, b"Notes", "a.txt", "text/plain")).json()["url"]
    head = await client.head(url)
    assert (head.headers["Content-Length"], head.getvalue()) == ("5", b"")


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


@pytest.mark.parametrize(("may_chat", "status"), [(True, 200), (False, 302)])
async def test_pages_let_visitors_in_where_the_site_demands_a_login(
    settings: Any, *, may_chat: bool, status: int
) -> None:
    """The setting of this app decides, as it does for the endpoints."""
    settings.STREAMING_ALLOW_ANONYMOUS = may_chat
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "django.contrib.auth.middleware.LoginRequiredMiddleware"]
    assert (await AsyncClient().get("/")).status_code == status


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


PLACES = {
    "str:key": "c1",
    "str:message_id": "m",
    "str:token": "t",
    "uuid:pk": uuid.UUID(int=1),
    "uuid:share_id": uuid.UUID(int=1),
}


def every_address() -> Iterator[str]:
    """The address of every route of the app, with some value in each of its places."""
    for pattern in urlpatterns:
        yield "/" + re.sub(r"<([a-z_:]+)>", lambda place: str(PLACES[place[1]]), str(pattern.pattern))


async def test_no_address_takes_an_unsafe_request_of_another_site() -> None:
    client = AsyncClient(enforce_csrf_checks=True)
    for address, method in itertools.product(every_address(), ("POST", "PUT", "PATCH", "DELETE")):
        response = await client.generic(method, address, b"{}", headers={"Sec-Fetch-Site": "cross-site"})
        assert response.status_code in (403, 405), f"{method} {address}"


def test_every_view_is_exempt_from_atomic_requests_on_every_database() -> None:
    for pattern in urlpatterns:
        exempt = getattr(pattern.callback, "_non_atomic_requests", set())
        assert exempt >= set(connections), pattern.name


MANY = "&".join(f"a{number}=1" for number in range(1001))
FORMS = {
    "no boundary": ("multipart/form-data", b"x", 400),
    "many files": (
        "multipart/form-data; boundary=x",
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nx\r\n' * 101 + b"--x--\r\n",
        400,
    ),
    "no charset of texts": (
        "multipart/form-data; boundary=x; charset=hex",
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nx\r\n--x--\r\n',
        400,
    ),
    "many fields": ("application/x-www-form-urlencoded", MANY.encode(), 400),
    "other charset": ("application/x-www-form-urlencoded; charset=latin-1", b"a=b", 400),
    "large field": ("application/x-www-form-urlencoded", b"a=" + b"x" * 3_000_000, 413),
}


@pytest.mark.parametrize("name", FORMS)
async def test_form_that_django_does_not_read_is_refused_with_words_for_programs(name: str) -> None:
    kind, body, status = FORMS[name]
    response = await AsyncClient().generic("POST", "/api/files", body, content_type=kind)
    assert (response.status_code, response.headers["Content-Type"]) == (status, "text/plain; charset=utf-8")
    assert response.content.startswith(b"The request")


@pytest.mark.parametrize("path", ["/api/chat", "/api/chat/c1", "/api/chat/c1/stream", "/streaming/probe"])
async def test_query_with_too_many_parts_is_refused_with_words_for_programs(path: str) -> None:
    response = await AsyncClient().get(f"{path}?{MANY}")
    assert response.status_code == 400
    assert response.content == b"The request's form or query cannot be read, or has too many parts."


async def test_question_with_a_query_that_is_refused_is_not_asked() -> None:
    response = await AsyncClient().post(f"/api/chat?{MANY}", {"prompt": "Hi"}, content_type="application/json")
    assert response.status_code == 400
    assert not await in_database(Generation.objects.exists)
