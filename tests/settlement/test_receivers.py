"""Signal receivers of a site that fail: they may refuse a message, and cannot keep an answer from its end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError, transaction
from django.db.models.signals import post_save

from streaming.database import in_database
from streaming.models import Conversation, Generation, Message
from streaming.settlement import reap
from streaming.testing import frames_of, text_of
from tests.engine import Script, leave_for_dead, load, submit

pytestmark = pytest.mark.usefixtures("engine")

OURS = (Conversation, Generation, Message)
Receive = Callable[[Callable[..., None]], None]


@pytest.fixture
def receive() -> Iterator[Receive]:
    """Connects a receiver to `post_save` of this app's models for one test."""
    connected: list[Callable[..., None]] = []

    def connect(receiver: Callable[..., None]) -> None:
        connected.append(receiver)
        for model in OURS:
            post_save.connect(receiver, sender=model, weak=False)

    yield connect
    for receiver in connected:
        for model in OURS:
            post_save.disconnect(receiver, sender=model)


def fails_at_the_end(error: Exception) -> Callable[..., None]:
    def receiver(instance: Any, *, created: bool, **kwargs: Any) -> None:
        if isinstance(instance, Message) and not created:
            raise error

    return receiver


@pytest.mark.parametrize("error", [RuntimeError("no"), OperationalError("no"), IntegrityError("no")], ids=repr)
async def test_receiver_that_fails_cannot_keep_an_answer_from_its_end(
    scripted: Script, receive: Receive, error: Exception
) -> None:
    receive(fails_at_the_end(error))
    scripted(text="fine")
    for prompt in ("one", "two"):
        frames = await frames_of((generation := await submit(prompt)).pk)
        assert text_of(frames) == "fine"
        row = await load(generation)
        assert (row.status, row.message.text, row.active_conversation_id) == ("finished", "fine", None)


async def test_receiver_that_fails_cannot_keep_the_reaper_from_its_work(
    scripted: Script, receive: Receive, settings: Any
) -> None:
    receive(fails_at_the_end(RuntimeError("no")))
    settings.STREAMING_LEASE_SECONDS = -1
    settings.STREAMING_TICK_SECONDS = 60
    scripted(text="x", hang_after=0)
    run = leave_for_dead(dead := await submit())
    assert await in_database(reap) == 1
    assert (await load(dead)).status == "interrupted"
    run.fence()


async def test_receiver_may_refuse_a_message_and_nothing_is_stored(scripted: Script, receive: Receive) -> None:
    def refuses(instance: Any, **kwargs: Any) -> None:
        if isinstance(instance, Conversation) and instance.title == "rude":
            raise IntegrityError("no")

    receive(refuses)
    scripted(text="fine")
    with pytest.raises(IntegrityError):
        await submit("rude")
    assert not await Conversation.objects.aexists()
    assert text_of(await frames_of((await submit("kind")).pk)) == "fine"


async def test_receiver_that_fails_after_the_commit_does_not_stop_the_answer(
    scripted: Script, receive: Receive, caplog: pytest.LogCaptureFixture
) -> None:
    def asks_a_broker(**kwargs: Any) -> None:
        transaction.on_commit(lambda: 1 / 0)

    receive(asks_a_broker)
    scripted(text="fine")
    assert text_of(await frames_of((await submit()).pk)) == "fine"
    assert "ZeroDivisionError" in caplog.text
