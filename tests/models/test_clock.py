"""Times that the database's clock gives are comparable with those that Django stores, whatever the time zones."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from streaming.models import Conversation, Generation, Message, Owner, Status, from_now
from streaming.models.clock import Now

ALICE = Owner.of_visitor("alice")
WEST, EAST = "America/New_York", "Asia/Tokyo"


@pytest.fixture(params=[(False, WEST), (False, EAST), (True, WEST), (True, EAST)], ids=str)
def zone(request: pytest.FixtureRequest, settings: Any, db: None) -> Iterator[None]:
    """A site whose database holds local times: with `USE_TZ` off, or by the database's own `TIME_ZONE`."""
    settings.USE_TZ, name = request.param
    if not settings.USE_TZ:
        settings.TIME_ZONE = name
    elif not connection.features.supports_timezones:  # all but PostgreSQL, which stores moments
        connection.settings_dict["TIME_ZONE"] = name
    _forget_zone()
    yield
    connection.settings_dict["TIME_ZONE"] = None
    _forget_zone()


def _forget_zone() -> None:
    for known in ("timezone", "timezone_name"):
        connection.__dict__.pop(known, None)


def asked() -> Generation:
    conversation = Conversation.objects.create(key="c1", owner_key=ALICE.key, provider="default")
    message = Message.objects.create(conversation=conversation, role="assistant")
    return Generation.objects.create(conversation=conversation, message=message, provider="default")


@pytest.mark.usefixtures("zone")
def test_rows_of_the_last_minute_are_those_that_django_has_stored_within_it() -> None:
    asked()
    of_last_minute = Generation.objects.filter(created_at__gt=from_now(-60), created_at__lt=from_now(60))
    assert of_last_minute.exists()
    Generation.objects.update(created_at=timezone.now() - timedelta(seconds=61))
    assert not of_last_minute.exists()


@pytest.mark.usefixtures("zone")
def test_times_of_the_database_are_those_of_django() -> None:
    asked()
    Generation.objects.update(status=Status.FINISHED, finished_at=Now(), lease_until=from_now(60))
    row = Generation.objects.get()
    assert abs(row.finished_at - timezone.now()) < timedelta(seconds=20)
    assert timedelta(seconds=40) < row.lease_until - timezone.now() < timedelta(seconds=80)
    assert Generation.objects.filter(lease_until__gt=from_now(40), lease_until__lt=from_now(80)).exists()


@pytest.mark.django_db
def test_rows_have_the_time_of_the_database_even_if_the_clock_of_the_process_is_wrong(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    right = timezone.now()
    monkeypatch.setattr("django.utils.timezone.now", lambda: right - timedelta(hours=1))
    asked()
    assert abs(Generation.objects.get().created_at - right) < timedelta(seconds=20)
