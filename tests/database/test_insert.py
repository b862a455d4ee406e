"""Inserts: the rows are those that Django would have stored."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, connection, models, transaction
from django.db.models.sql.compiler import SQLCompiler
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from streaming.database import insert
from streaming.models import Conversation, Generation, Message, from_now

pytestmark = pytest.mark.django_db

TIMES = ("created_at", "updated_at", "lease_until")


def conversation(key: str = "k") -> Conversation:
    return Conversation(owner_key="o", key=key, provider="it's %s", title='"é"', tools=["a", None], pinned=True)


def rows(kept: Conversation) -> tuple[Message, Message, Generation]:
    asked = Message(conversation=kept, role="user", parts=[{"type": "text", "text": "%s\n"}], text="%s\n")
    answer = Message(conversation=kept, parent=asked, role="assistant", client_id="c")
    generation = Generation(
        conversation=kept, message=answer, provider="p", lease_until=from_now(60), watched_at=timezone.now(), head_seq=7
    )
    return asked, answer, generation


def stored(model: type[models.Model]) -> list[dict[str, Any]]:
    """The rows without their keys, which differ. A relation is told by whether it leads anywhere."""
    found = []
    for row in model._default_manager.order_by("created_at", "pk").values():
        keys = {name for name in row if name == "id" or name.endswith("_id")} - {"client_id"}
        found.append({name: value is not None if name in keys else value for name, value in row.items()})
    return found


def store_all(store: Callable[..., None]) -> list[list[dict[str, Any]]]:
    with transaction.atomic():
        kept = conversation()
        store(kept)
        asked, answer, generation = rows(kept)
        store(asked, answer)
        store(generation)
        found = [stored(model) for model in (Conversation, Message, Generation)]
        transaction.set_rollback(True)
    return found


def by_django(*given: models.Model) -> None:
    for row in given:
        row.save(force_insert=True)


def test_rows_are_as_django_stores_them() -> None:
    ours, django = store_all(insert), store_all(by_django)
    for mine, theirs in zip(ours, django, strict=True):
        for one, other in zip(mine, theirs, strict=True):
            for name in TIMES:
                if name in one:
                    assert abs(one.pop(name) - other.pop(name)) < datetime.timedelta(minutes=1)
            one.pop("watched_at", None), other.pop("watched_at", None)
            assert one == other


def test_times_are_those_of_the_database() -> None:
    kept = conversation()
    insert(kept)
    _, answer, generation = rows(kept)
    insert(answer.parent, answer)
    insert(generation)
    found = Generation.objects.get()
    assert found.lease_until is not None
    assert found.lease_until - found.created_at == datetime.timedelta(seconds=60)
    assert found.watched_at == generation.watched_at
    assert Generation.objects.filter(created_at__lte=from_now(1), created_at__gt=from_now(-60)).exists()


def test_inserted_rows_can_be_saved_again() -> None:
    kept = conversation()
    insert(kept)
    kept.title = "another"
    kept.save()
    assert Conversation.objects.get().title == "another"
    assert not kept._state.adding
    assert kept._state.db == connection.alias


def test_rows_of_one_model_are_one_statement() -> None:
    with CaptureQueriesContext(connection) as captured:
        insert(*[conversation(str(number)) for number in range(3)])
    assert len([query for query in captured if query["sql"].startswith("INSERT")]) == 1
    assert Conversation.objects.count() == 3


def test_django_compiles_a_value_of_the_database_once(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = conversation()
    insert(kept)
    generations = []
    for _ in range(2):
        asked, answer, generation = rows(kept)
        answer.client_id = None
        insert(asked, answer)
        generations.append(generation)
    insert(generations[0])
    monkeypatch.setattr(SQLCompiler, "compile", lambda *args: pytest.fail("it was compiled again"))
    insert(generations[1])


def test_refused_row_is_an_error_and_stores_nothing() -> None:
    insert(conversation("taken"))
    with pytest.raises(IntegrityError), transaction.atomic():
        insert(conversation("new"), conversation("taken"))
    assert Conversation.objects.count() == 1
