"""For whom code asks: nobody, a user, or an owner; never for all anonymous visitors together."""

from __future__ import annotations

from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth import get_user_model
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.middleware import SessionMiddleware
from django.test import AsyncClient, AsyncRequestFactory

from streaming.chat import NOBODY, chat, delete_conversations, go_on, start_chat
from streaming.chat.asker import asker_of
from streaming.errors import LoginRequired, TooManyRequests
from streaming.models import Conversation, Message, Owner
from tests.engine import ALICE, Script

pytestmark = pytest.mark.usefixtures("engine")


async def test_anonymous_users_are_no_owner(scripted: Script) -> None:
    scripted(text="Hi.")
    result = await chat("Hi", owner=ALICE)
    with pytest.raises(LoginRequired):
        await chat("Hi", user=AnonymousUser(), conversation_key="k")
    with pytest.raises(LoginRequired):
        await go_on(result, [], user=AnonymousUser())
    with pytest.raises(LoginRequired):
        await delete_conversations(user=AnonymousUser())
    assert await Message.objects.acount() == 2


async def test_owner_wins_and_nobody_is_the_code() -> None:
    assert await asker_of(None, None) == NOBODY
    assert await asker_of(AnonymousUser(), ALICE) == ALICE


async def test_jobs_of_the_site_have_limits_of_their_own(settings: Any, scripted: Script) -> None:
    settings.STREAMING_MAX_ACTIVE_PER_OWNER = 1
    scripted(text="Hi.", hang_after=1)
    first = await start_chat("Hi")
    with pytest.raises(TooManyRequests):
        await start_chat("Hi")
    second = await start_chat("Hi", owner=Owner.of_code("reports"))
    assert (await first.stop(), await second.stop()) == ("stopping", "stopping")


async def test_user_of_a_request_may_still_be_in_the_database(scripted: Script) -> None:
    """In an async view, `request.user` is not read yet, and reading it there is an error."""
    scripted(text="Hi.")
    ada = await get_user_model().objects.acreate(username="ada")
    client = AsyncClient()
    await client.aforce_login(ada)
    request = AsyncRequestFactory().get("/")
    request.COOKIES = {name: one.value for name, one in client.cookies.items()}
    await sync_to_async(SessionMiddleware(lambda one: None).process_request)(request)
    AuthenticationMiddleware(lambda one: None).process_request(request)
    await chat("Hi", user=request.user)
    assert (await Conversation.objects.aget()).user_id == ada.pk
