"""Rows are deleted some at a time; what a site keeps does not keep others, and is counted in the log."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import DataError
from django.db.models import ProtectedError
from django.db.models.signals import pre_delete

from streaming.database import deletions, in_steps
from streaming.models import Conversation

KEPT = {"1": RuntimeError("secret"), "2": ProtectedError("secret", set()), "4": RuntimeError("secret")}


@pytest.fixture
def rows() -> Any:
    Conversation.objects.bulk_create(Conversation(key=f"{number}", owner_key="visitor:v") for number in range(6))
    return Conversation.objects.order_by("key")


@pytest.fixture
def legal_hold() -> Iterator[None]:
    def keep(instance: Conversation, **kwargs: Any) -> None:
        if instance.key in KEPT:
            raise KEPT[instance.key]

    pre_delete.connect(keep, sender=Conversation)
    yield
    pre_delete.disconnect(keep, sender=Conversation)


@pytest.mark.django_db
@pytest.mark.parametrize(("at_once", "steps"), [(1, [1, 0, 0, 1, 0, 1]), (2, [1, 1, 1]), (6, [3]), (9, [3])])
@pytest.mark.usefixtures("legal_hold")
def test_what_the_site_keeps_keeps_no_other(rows: Any, at_once: int, steps: list[int]) -> None:
    assert list(deletions(rows, at_once)) == steps
    assert {row.key for row in rows} == KEPT.keys()


@pytest.mark.django_db
@pytest.mark.usefixtures("legal_hold")
def test_log_has_the_number_by_reason_and_names_rows_for_debugging(rows: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "streaming")
    list(deletions(rows, 2))
    [told] = [record for record in caplog.records if record.levelno > logging.DEBUG]
    assert "3 conversations could not be deleted (RuntimeError × 2, ProtectedError × 1)" in told.getMessage()
    assert told.exc_info is None
    rows_kept = [record.getMessage() for record in caplog.records if record.levelno == logging.DEBUG]
    assert [str(row.pk) in text for row, text in zip(rows, rows_kept, strict=True)] == [True] * 3


@pytest.mark.django_db
def test_nothing_is_logged_if_all_are_deleted(rows: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "streaming")
    assert list(deletions(rows, 4)) == [4, 2]
    assert caplog.records == []


@pytest.mark.django_db
@pytest.mark.usefixtures("legal_hold")
def test_failure_of_the_database_ends_it(rows: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(KEPT, "0", DataError())
    with pytest.raises(DataError):
        list(deletions(rows, 2))


@pytest.mark.usefixtures("engine")
async def test_steps_run_on_the_database_threads() -> None:
    await Conversation.objects.acreate(key="1", owner_key="visitor:v")
    assert await in_steps(deletions(Conversation.objects.all(), 1)) == 1
    assert await in_steps(deletions(Conversation.objects.all(), 1)) == 0
