"""Session checks: streams and sockets end when their reader is signed out."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.contrib.auth import get_user_model, login, update_session_auth_hash
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.cache import SessionStore as CacheStore
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.test import AsyncClient, RequestFactory

from streaming.access import VISITOR_KEY, SessionCheck
from streaming.consumers import ChatConsumer
from streaming.models import Generation, Owner
from streaming.supervisor import current
from tests.engine import ALICE
from tests.responses import body_of

pytestmark = pytest.mark.usefixtures("engine")


@pytest.fixture(autouse=True)
def impatient(settings: Any) -> None:
    settings.STREAMING_RECHECK_SECONDS = 0
    settings.STREAMING_HEARTBEAT_SECONDS = 0.05


async def signed_in() -> tuple[AsyncClient, Any]:
    user = await get_user_model().objects.acreate_user("ada", password="x")
    client = AsyncClient()
    await client.aforce_login(user)
    return client, user


async def sign_out(client: AsyncClient, user: Any) -> None:
    await client.alogout()


async def deactivate(client: AsyncClient, user: Any) -> None:
    await get_user_model().objects.filter(pk=user.pk).aupdate(is_active=False)


async def change_password(client: AsyncClient, user: Any) -> None:
    user.set_password("y")
    await user.asave()


async def delete_session(client: AsyncClient, user: Any) -> None:
    await Session.objects.all().adelete()


@pytest.mark.fault("F28")
@pytest.mark.parametrize("leave", [sign_out, deactivate, change_password, delete_session])
async def test_stream_ends_when_its_reader_is_signed_out(scripted: Any, leave: Any) -> None:
    scripted(text="one two", hang_after=3)
    client, user = await signed_in()
    response = await client.post("/api/chat", {"prompt": "Hi"}, content_type="application/json")
    stream = aiter(response.streaming_content)
    await anext(stream)
    await leave(client, user)
    rest = b"".join([piece async for piece in stream])
    assert b"You have been signed out" in rest
    assert b"[DONE]" not in rest
    assert (await Generation.objects.aget()).is_active


async def rotate_by_password(client: AsyncClient, user: Any) -> None:
    """The person changes the password on a page of the site, as Django's own view does it."""
    session = await client.asession()
    user.set_password("y")
    await user.asave()
    request = RequestFactory().post("/")
    request.session, request.user = session, user
    await sync_to_async(update_session_auth_hash)(request, user)
    await session.asave()


async def rotate_by_signing_in(client: AsyncClient, user: Any) -> None:
    """A visitor signs in from another tab."""
    request = RequestFactory().post("/")
    request.session, request.user = await client.asession(), AnonymousUser()
    await sync_to_async(login)(request, user, backend="django.contrib.auth.backends.ModelBackend")
    await request.session.asave()


ROTATIONS = {"password": rotate_by_password, "signing in": rotate_by_signing_in}


async def _before(rotation: str) -> tuple[AsyncClient, Any]:
    """The client whose session's key will change, and the user that it is or becomes."""
    client, user = await signed_in()
    if rotation == "signing in":
        client = AsyncClient()
        await client.post("/api/chat", {"prompt": "Hi"}, content_type="application/json")
        await current().idle()
    return client, user


async def _read_across(rotation: str, address: str) -> bytes:
    """The body of a response that begins before the session gets another key, and ends after it."""
    client, user = await _before(rotation)
    response = await client.post(address, {"prompt": "Hi"}, content_type="application/json")
    stream = aiter(response.streaming_content)
    first: bytes = await anext(stream)
    await ROTATIONS[rotation](client, user)
    return first + b"".join([piece async for piece in stream])


@pytest.mark.parametrize("rotation", ROTATIONS)
async def test_stream_goes_on_when_its_session_gets_another_key(scripted: Any, rotation: str) -> None:
    scripted(text="one two three four", delay=0.06)
    assert b"[DONE]" in await _read_across(rotation, "/api/chat")


@pytest.mark.urls("tests.views.object_urls")
@pytest.mark.parametrize("rotation", ROTATIONS)
async def test_object_goes_on_when_its_session_gets_another_key(scripted: Any, rotation: str) -> None:
    scripted(text="[1, 2, 3, 4, 5, 6]", delay=0.06)
    assert (await _read_across(rotation, "/objects/list")).strip() == b"[1, 2, 3, 4, 5, 6]"


@pytest.mark.parametrize("rotation", ROTATIONS)
async def test_reader_that_comes_back_is_let_go_when_its_session_gets_another_key(scripted: Any, rotation: str) -> None:
    client, user = await _before(rotation)
    scripted(text="one two", hang_after=3)
    await client.post("/api/chat", {"id": "c", "prompt": "Hi"}, content_type="application/json")
    response = await client.get("/api/chat/c/stream", headers={"Accept": "text/event-stream"})
    stream = aiter(response.streaming_content)
    await anext(stream)
    await ROTATIONS[rotation](client, user)
    rest = b"".join([piece async for piece in stream])
    assert (b"error" in rest, b"[DONE]" in rest) == (False, False)
    assert (await Generation.objects.alatest("created_at")).is_active


@pytest.mark.parametrize("rotation", ROTATIONS)
async def test_socket_is_asked_to_connect_again_when_its_session_gets_another_key(rotation: str) -> None:
    client, user = await _before(rotation)
    communicator = await socket_of(client, user if rotation == "password" else AnonymousUser())
    await ROTATIONS[rotation](client, user)
    await communicator.send_json_to({"type": "resume", "requestId": "r", "id": "c"})
    assert await communicator.receive_output() == {"type": "websocket.close", "code": 4307}


async def test_other_sessions_of_a_person_who_changes_the_password_are_signed_out() -> None:
    client, user = await signed_in()
    elsewhere = AsyncClient()
    await elsewhere.aforce_login(user)
    reader = await sync_to_async(SessionCheck)(Owner.of_user(user.pk), await elsewhere.asession())
    await rotate_by_password(client, user)
    assert (await reader.holds_now(), reader.has_moved) == (False, False)


async def test_check_keeps_the_key_of_a_session_that_an_older_secret_signed(settings: Any) -> None:
    client, user = await signed_in()
    session = await client.asession()
    reader = await sync_to_async(SessionCheck)(Owner.of_user(user.pk), session)
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "newer"
    assert await reader.holds()
    assert await Session.objects.filter(pk=session.session_key).aexists(), "the cookie names no session any more"


async def test_stream_continues_while_its_reader_is_signed_in(scripted: Any) -> None:
    scripted(text="one two three four", delay=0.06)
    client, _ = await signed_in()
    response = await client.post("/api/chat", {"prompt": "Hi"}, content_type="application/json")
    body = await body_of(response)
    assert b"[DONE]" in body


async def test_stream_of_a_new_visitor_is_not_checked(scripted: Any) -> None:
    scripted(text="one two three four", delay=0.06)
    response = await AsyncClient().post("/api/chat", {"prompt": "Hi"}, content_type="application/json")
    body = await body_of(response)
    assert b"[DONE]" in body


async def test_check_of_a_visitor_fails_without_the_session() -> None:
    session = SessionStore()
    await session.aset(VISITOR_KEY, "alice")
    await session.asave()
    reader = SessionCheck(ALICE, session)
    assert await reader.holds()
    await session.adelete()
    assert not await reader.holds()


async def test_check_without_a_session_always_holds() -> None:
    assert await SessionCheck(Owner.of_user(1), None).holds_now()
    assert await SessionCheck(Owner.of_user(1), SessionStore()).holds_now()


def signs_in_by_header(get_response: Any) -> Any:
    """A middleware that knows its users without a session, as one for API tokens does."""

    def respond(request: Any) -> Any:
        if name := request.headers.get("Authorization"):
            request.user = get_user_model().objects.get(username=name)
        return get_response(request)

    return respond


@pytest.mark.parametrize("path", ["/api/chat", "/api/agui"])
async def test_session_of_a_visitor_does_not_end_the_stream_of_a_user_who_signs_in_without_it(
    scripted: Any, settings: Any, path: str
) -> None:
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, f"{__name__}.signs_in_by_header"]
    await get_user_model().objects.acreate_user("ada")
    scripted(text="one two three four", delay=0.06)
    client = AsyncClient()
    await client.post("/chat/c1/send/", {"prompt": "I have a session."})
    await current().idle()
    body = {"id": "c2", "threadId": "c2", "messages": [{"id": "q", "role": "user", "content": "Hi"}]}
    response = await client.post(path, body, content_type="application/json", headers={"Authorization": "ada"})
    assert response.status_code == 200
    assert (await body_of(response)).endswith((b"[DONE]\n\n", b": done\n\n"))
    assert await Generation.objects.filter(conversation__owner_key__startswith="user:", status="finished").aexists()


async def test_session_that_names_another_is_not_checked() -> None:
    session = SessionStore()
    await session.aset(VISITOR_KEY, "bob")
    await session.asave()
    assert await SessionCheck(ALICE, session).holds_now()
    assert await SessionCheck(Owner("team:1"), session).holds_now()


class Away(CacheStore):
    """Django's own cache store. If the cache fails, it looks empty."""

    looks_that_fail = 0

    def load(self) -> dict[str, Any]:
        if Away.looks_that_fail:
            Away.looks_that_fail -= 1
            self._session_key = None
            return {}
        return cast(dict[str, Any], super().load())


@pytest.fixture
async def cached(settings: Any, monkeypatch: pytest.MonkeyPatch) -> SessionCheck:
    """Returns the check of a visitor whose session is in the cache."""
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.cache"
    monkeypatch.setattr("django.contrib.sessions.backends.cache.SessionStore", Away)
    monkeypatch.setattr("streaming.access.sessions.SECOND_LOOK_SECONDS", 0.05)
    session = Away()
    await session.aset(VISITOR_KEY, "alice")
    await session.asave()
    return SessionCheck(ALICE, session)


@pytest.mark.parametrize(("looks_that_fail", "holds"), [(1, True), (2, False)])
async def test_empty_session_of_a_cache_is_read_twice(
    cached: SessionCheck, monkeypatch: pytest.MonkeyPatch, looks_that_fail: int, holds: bool
) -> None:
    monkeypatch.setattr(Away, "looks_that_fail", looks_that_fail)
    assert await cached.holds() is holds
    assert Away.looks_that_fail == 0


async def test_session_store_that_fails_signs_nobody_out(cached: SessionCheck, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(store: Away) -> dict[str, Any]:
        raise ConnectionError

    monkeypatch.setattr(Away, "load", fail)
    assert await cached.holds()


def test_stream_without_a_session_to_check_does_nothing_for_it() -> None:
    assert not SessionCheck(ALICE, None).is_due


async def socket_of(client: AsyncClient, user: Any) -> WebsocketCommunicator:
    communicator = WebsocketCommunicator(ChatConsumer.as_asgi(), "/ws/chat/")
    communicator.scope |= {"user": user, "session": SessionStore(client.cookies["sessionid"].value)}
    connected, _ = await communicator.connect()
    assert connected
    return communicator


@pytest.mark.parametrize("leave", [sign_out, deactivate])
async def test_idle_socket_is_closed_at_the_next_check(settings: Any, leave: Any) -> None:
    settings.STREAMING_RECHECK_SECONDS = 0.2
    client, user = await signed_in()
    communicator = await socket_of(client, user)
    assert await communicator.receive_nothing(0.5)
    await leave(client, user)
    assert await communicator.receive_output(10) == {"type": "websocket.close", "code": 4401}
    await communicator.disconnect()


async def test_socket_that_streams_is_closed_at_the_next_check(settings: Any, scripted: Any) -> None:
    settings.STREAMING_RECHECK_SECONDS = 0.2
    scripted(text="one two", hang_after=3)
    client, user = await signed_in()
    communicator = await socket_of(client, user)
    await communicator.send_json_to({"type": "send", "requestId": "r", "id": "c", "message": {"content": "Hi"}})
    assert (await communicator.receive_json_from(10))["type"] == "chunk"
    await client.alogout()
    while (output := await communicator.receive_output(10))["type"] == "websocket.send":
        pass
    assert output == {"type": "websocket.close", "code": 4401}
    assert await communicator.receive_nothing(0.2), "something was sent after the close"
    assert (await Generation.objects.aget()).is_active
    await communicator.disconnect()


async def test_closed_socket_is_not_checked(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.STREAMING_RECHECK_SECONDS = 0.01
    communicator = await socket_of(*await signed_in())
    await communicator.disconnect()
    monkeypatch.setattr(SessionCheck, "holds_now", pytest.fail)
    await asyncio.sleep(0.1)
    assert not [task for task in asyncio.all_tasks() if "ChatConsumer._watch" in repr(task)]


async def test_socket_is_closed_at_the_next_command(settings: Any, scripted: Any) -> None:
    settings.STREAMING_RECHECK_SECONDS = 60
    scripted(text="never")
    client, user = await signed_in()
    communicator = await socket_of(client, user)
    await client.alogout()
    await communicator.send_json_to({"type": "send", "requestId": "r", "id": "c", "message": {"content": "Hi"}})
    assert await communicator.receive_output() == {"type": "websocket.close", "code": 4401}
    assert not await Generation.objects.aexists()
