"""For whom code asks: nobody, a user, or an owner; never for all anonymous visitors together."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser

from streaming.chat import NOBODY, chat, delete_conversations, go_on
from streaming.chat.asker import asker_of
from streaming.errors import LoginRequired
from streaming.models import Message
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


def test_owner_wins_and_nobody_is_the_code() -> None:
    assert asker_of(None, None) == NOBODY
    assert asker_of(AnonymousUser(), ALICE) == ALICE
