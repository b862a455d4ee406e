"""Statements that Django writes once."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from streaming.database import Prepared, count_changed, read_number, read_row
from streaming.models import Conversation, Generation, Message
from streaming.models.clock import Now

pytestmark = pytest.mark.django_db

VALUES: dict[str, list[Any]] = {
    "provider": ["one", "two", "it's %s"],
    "input_tokens": [1, None, 2],
    "is_usage_estimated": [True, False],
    "cost": [Decimal("0.000000001"), None, Decimal("12.5")],
    "price": [{"a": [1, None, "é"]}, None, {}],
    "watched_at": [timezone.now(), None, timezone.now() - datetime.timedelta(days=9)],
}


@pytest.fixture
def row() -> Generation:
    conversation = Conversation.objects.create(owner_key="o", key="k", provider="default")
    message = Message.objects.create(conversation=conversation, role="assistant")
    return Generation.objects.create(conversation=conversation, message=message, provider="default")


@pytest.mark.parametrize("name", VALUES)
def test_each_call_writes_its_own_value(name: str, row: Generation) -> None:
    write = Prepared(
        Generation,
        lambda given: Generation.objects.filter(pk=given("id")).update(**{name: given(name)}),
        count_changed,
    )
    with CaptureQueriesContext(connection) as captured:
        for value in VALUES[name]:
            assert write(id=row.pk, **{name: value}) == 1
            assert Generation.objects.values_list(name, flat=True).get() == value
    assert write(id=row.message_id, **{name: VALUES[name][0]}) == 0
    sent = [query["sql"].partition("=")[0] for query in captured if query["sql"].startswith("UPDATE")]
    assert len(sent) == len(VALUES[name])
    assert len(set(sent)) == 1


def test_each_call_finds_its_own_row(row: Generation) -> None:
    Conversation.objects.create(owner_key="o", key="other", provider="p", tools=["a"])
    find = Prepared(
        Conversation, lambda given: Conversation.objects.filter(key=given("key")).first(), read_row(Conversation)
    )
    count = Prepared(Conversation, lambda given: Conversation.objects.filter(key=given("key")).count(), read_number)
    for key in ("k", "other", "none", "k"):
        assert find(key=key) == Conversation.objects.filter(key=key).first()
        assert count(key=key) == (key != "none")
    assert find(key="other").tools == ["a"]
    assert find(key="other")._state.db == "default"


def test_statement_that_fails_is_not_remembered(row: Generation) -> None:
    write = Prepared(Conversation, lambda given: Conversation.objects.update(key=given("key")), count_changed)
    Conversation.objects.create(owner_key="o", key="other", provider="p")
    with pytest.raises(DatabaseError), connection.constraint_checks_disabled():
        write(key="same")
    assert not write._statements


def test_times_follow_the_zone_of_the_site(row: Generation, settings: Any) -> None:
    touch = Prepared(
        Generation, lambda given: Generation.objects.filter(pk=given("id")).update(watched_at=Now()), count_changed
    )
    for zone in ("UTC", "Asia/Tokyo", "America/Bogota"):
        settings.USE_TZ, settings.TIME_ZONE = False, zone
        touch(id=row.pk)
        row.refresh_from_db()
        assert abs(row.watched_at - datetime.datetime.now()) < datetime.timedelta(minutes=5)
