"""`manage.py reap_generations`."""

from __future__ import annotations

import io
import sys
from typing import Any

import pytest
from django.core.management import call_command

from streaming.models import Generation, JournalEntry, from_now
from tests.engine import forget_database_trouble
from tests.management.commands import result_of


@pytest.mark.django_db(transaction=True)
def test_generations_of_dead_processes_are_settled_and_old_frames_deleted(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    forget_database_trouble()  # of earlier tests: while the database is in trouble, nobody is taken for dead
    for question in ("one", "two"):
        call_command("chat", question, stdout=io.StringIO(), stderr=io.StringIO())
    dead = Generation.objects.order_by("created_at").first()
    assert dead is not None
    Generation.objects.filter(pk=dead.pk).update(
        status="running", active_conversation=dead.conversation_id, lease_until=from_now(-60)
    )
    settings.STREAMING_JOURNAL_RETENTION_SECONDS = -1
    out = io.StringIO()
    terminal = io.StringIO()
    terminal.isatty = lambda: True  # type: ignore[method-assign]
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stderr", terminal)
        call_command("reap_generations", stdout=out)
    assert "1 generations settled" in terminal.getvalue()
    assert "journal entries deleted" in terminal.getvalue()
    assert result_of("reap_generations") == {"interrupted": 0, "journal_entries": 0}
    assert out.getvalue() == "1 generations settled as interrupted, 3 journal entries deleted.\n"
    dead.refresh_from_db()
    assert dead.status == "interrupted"
    assert dead.message.text == "Hello from the script."
    assert not JournalEntry.objects.exists()
