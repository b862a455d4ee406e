"""The log of what staff saw ends by the setting or by the command."""

from __future__ import annotations

import datetime
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from streaming.archive import forget_old_accesses, staff_access
from streaming.models import StaffAccess

pytestmark = pytest.mark.django_db


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows of 0 to 90 days ago, of which two are deleted at once."""
    monkeypatch.setattr(staff_access, "ROWS_PER_DELETION", 2)
    for days in range(0, 100, 10):
        row = StaffAccess.objects.create(username="ada", action="view", kind="conversation")
        at = timezone.now() - datetime.timedelta(days=days, minutes=1)
        StaffAccess.objects.filter(pk=row.pk).update(created_at=at)


@pytest.mark.usefixtures("log")
def test_setting_ends_old_rows(settings: Any) -> None:
    assert list(forget_old_accesses()) == []
    settings.STREAMING_STAFF_ACCESS_DAYS = 50
    assert list(forget_old_accesses()) == [2, 2, 1]
    assert StaffAccess.objects.count() == 5


@pytest.mark.usefixtures("log")
def test_command_ends_old_rows(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("prune_conversations", "--staff-access", "50d", "--dry-run")
    assert capsys.readouterr().out == "5 rows of the staff's log would be deleted.\n"
    call_command("prune_conversations", "--staff-access", "50d", "--json")
    assert json.loads(capsys.readouterr().out) == {"staff_access_selected": 5, "staff_access_deleted": 5}
    call_command("prune_conversations", "--staff-access", "10d", "--older-than", "1d")
    assert capsys.readouterr().out == "0 conversations deleted.\n4 rows of the staff's log deleted.\n"


def test_command_asks_what_to_delete() -> None:
    with pytest.raises(CommandError, match="--older-than 90d, --staff-access 730d"):
        call_command("prune_conversations")
