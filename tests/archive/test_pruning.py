"""Deleting conversations: old ones, an owner's, and those of a deleted user."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth import get_user_model
from django.db.models import ProtectedError
from django.db.models.signals import pre_delete

from streaming.archive import forget_old, prune, unused_for
from streaming.chat import delete_conversations
from streaming.files import keep
from streaming.files.uploads import Upload
from streaming.models import Attachment, Conversation, Generation, Message, Owner, Review, from_now
from streaming.supervisor import current
from tests import engine
from tests.engine import ALICE, BOB, Script, run_until
from tests.pictures import PNG
from tests.sent_files import names, picture, submit

DAY = datetime.timedelta(days=1)


def used(key: str, days_ago: float) -> Conversation:
    conversation = Conversation.objects.create(key=key, owner_key="visitor:v")
    Conversation.objects.filter(pk=conversation.pk).update(updated_at=from_now(-days_ago * 86_400))
    return conversation


def keys() -> set[str]:
    return set(Conversation.objects.values_list("key", flat=True))


@pytest.mark.django_db
def test_old_conversations_are_deleted_in_batches_oldest_first() -> None:
    for days in range(7):
        used(f"{days}", days)
    pruning = prune(unused_for(1.5 * DAY), at_once=2)
    assert next(pruning) == 2
    assert keys() == {"0", "1", "2", "3", "4"}
    assert list(pruning) == [2, 1]
    assert keys() == {"0", "1"}


@pytest.mark.django_db
def test_conversation_with_a_running_answer_is_not_old() -> None:
    old = used("old", 9)
    answer = Message.objects.create(conversation=old, role="assistant")
    Generation.objects.create(conversation=old, active_conversation=old, message=answer, status="running")
    assert list(unused_for(DAY)) == []


@pytest.mark.django_db
def test_conversation_that_is_used_meanwhile_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    for key in ("a", "b"):
        used(key, 9)
    pruning = prune(unused_for(DAY), at_once=1)
    assert next(pruning) == 1
    Conversation.objects.update(updated_at=from_now(0))
    assert list(pruning) == []
    assert len(keys()) == 1


@pytest.mark.django_db
@pytest.mark.parametrize(("days", "left"), [(None, {"new", "old"}), (3, {"new"})])
def test_retention_is_a_setting(settings: Any, days: int | None, left: set[str]) -> None:
    settings.STREAMING_RETENTION_DAYS = days
    used("new", 2)
    used("old", 4)
    assert sum(forget_old()) == 2 - len(left)
    assert list(forget_old()) == []
    assert keys() == left


@pytest.mark.django_db
@pytest.mark.parametrize("trouble", [RuntimeError("legal hold"), ProtectedError("by a foreign key", set())])
def test_conversation_that_the_site_keeps_keeps_no_other(trouble: Exception, caplog: pytest.LogCaptureFixture) -> None:
    def keep_legal_hold(instance: Conversation, **kwargs: Any) -> None:
        if instance.key == "3":
            raise trouble

    for days in range(7):
        used(f"{days}", days)
    pre_delete.connect(keep_legal_hold, sender=Conversation)
    try:
        assert sum(prune(unused_for(1.5 * DAY), at_once=4)) == 4
    finally:
        pre_delete.disconnect(keep_legal_hold, sender=Conversation)
    assert keys() == {"0", "1", "3"}
    assert f"1 conversations could not be deleted ({type(trouble).__name__} × 1)" in caplog.text


@pytest.mark.django_db
def test_retention_keeps_flagged_conversations(settings: Any) -> None:
    settings.STREAMING_RETENTION_DAYS = 1
    for key, is_flagged in (("flagged", True), ("reviewed", False), ("plain", None)):
        answer = Message.objects.create(conversation=used(key, 9), role="assistant")
        if is_flagged is not None:
            Review.objects.create(message=answer, is_flagged=is_flagged)
    assert sum(forget_old()) == 2
    assert keys() == {"flagged"}


@pytest.mark.usefixtures("engine")
async def test_owner_deletes_one_or_all_with_the_files(stored: Path) -> None:
    await submit("one", picture(), key="one")
    await submit("two", picture(PNG + b"2"), key="two")
    await submit("bob's", picture(PNG + b"3"), key="one", owner=BOB)
    await keep(ALICE, Upload(PNG + b"4"))
    assert len(names(stored)) == 4
    assert await delete_conversations("none", owner=ALICE) == 0
    assert await delete_conversations("one", owner=ALICE) == 1
    assert len(names(stored)) == 3
    assert await delete_conversations(owner=ALICE) == 1
    assert len(names(stored)) == 1
    assert await sync_to_async(keys)() == {"one"}


@pytest.mark.usefixtures("engine")
async def test_deleting_stops_the_answer_that_is_written(scripted: Script) -> None:
    scripted(text="one two three four", delay=5)
    generation = await engine.submit()
    run = current().find(generation.pk)
    assert run is not None
    assert await delete_conversations("c1", owner=ALICE) == 1
    await current().idle()
    assert run.log.is_closed
    assert not await Generation.objects.aexists()


@pytest.mark.usefixtures("engine")
async def test_deleting_a_row_under_a_running_answer_ends_it(scripted: Script, settings: Any) -> None:
    settings.STREAMING_TICK_SECONDS = 0.05
    scripted(text="one two three four", delay=5)
    await engine.submit()
    await Conversation.objects.all().adelete()
    await run_until(lambda: not current()._runs)


@pytest.mark.usefixtures("engine")
async def test_deleting_a_user_deletes_conversations_and_files(stored: Path) -> None:
    ada = await sync_to_async(get_user_model().objects.create_user)("ada")
    await submit("one", picture(), owner=Owner.of_user(ada.pk))
    await keep(Owner.of_user(ada.pk), Upload(PNG + b"2"))
    await submit("bob's", picture(PNG + b"3"), owner=BOB)
    await ada.adelete()
    assert await sync_to_async(keys)() == {"c1"}
    assert len(names(stored)) == await Attachment.objects.acount() == 1
