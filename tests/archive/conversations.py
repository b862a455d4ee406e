"""Conversations of all kinds for the tests of the archive, made by the engine."""

from __future__ import annotations

from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth import get_user_model

from streaming.models import Conversation, Feedback, Generation, Message, Owner, Review, SideCall, Summary
from streaming.testing import frames_of, scripted
from tests import engine
from tests.sent_files import picture, submit
from tests.stepwise import WEATHER, says


async def make_all(settings: Any) -> None:
    """Makes a user's conversation with branches and files, one with tools, and one that failed."""
    ada = Owner.of_user((await sync_to_async(get_user_model().objects.create_user)("ada")).pk)
    first = await submit("What is this?", picture(), key="files", owner=ada, client_id="m1")
    await submit("What is that?", picture(), key="files", owner=ada, message_id="m1", client_id="m2")
    await submit(key="files", owner=ada, trigger="regenerate-message", message_id=str(first.message_id), prompt="")
    says(settings, ("Let me look. ", (WEATHER,)), ("It rains. \u2028 \U0001f327", ()))
    await frames_of((await engine.submit("Weather?", key="tools")).pk)
    with scripted(text="one two three", error="overloaded", fail_after=3):
        await frames_of((await engine.submit("=1+1", key="failed", owner=engine.BOB)).pk)
    root = await sync_to_async(get_user_model().objects.create_superuser)("root")
    async for answer in Message.objects.filter(role="assistant").order_by("-created_at")[:2]:
        await Review.objects.acreate(message=answer, rating=4, labels="\nwrong\n", is_flagged=True, reviewer=root)
        await Feedback.objects.acreate(message=answer, thumb=-1, comment="No.")
    row = await Generation.objects.select_related("message__parent").afirst()
    assert row is not None
    where = {"conversation_id": row.conversation_id, "generation": row, "upto": row.message.parent}
    await Summary.objects.acreate(**where, text="So far.", provider="default", cost="0.000000001", price={"input": "1"})
    used = {"provider": "default", "model": "m", "input_tokens": 90, "cost": "0.000000002", "price": {"input": "1"}}
    await SideCall.objects.acreate(conversation_id=row.conversation_id, purpose="title", status="finished", **used)


def tree() -> set[tuple[str, str, str]]:
    """All stored messages: conversation, parent's text, text."""
    rows = Message.objects.select_related("conversation", "parent")
    return {(row.conversation.key, row.parent.text if row.parent else "", row.text) for row in rows}


def delete_all() -> None:
    Conversation.objects.all().delete()
