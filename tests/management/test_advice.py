"""The commands when the database cannot answer."""

from __future__ import annotations

import pytest
from django.core.management import CommandError
from django.db import IntegrityError

from streaming.models import Conversation, Generation
from tests.engine import lose_table
from tests.management.commands import run

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    "arguments",
    [
        ("chat", "Hi"),
        ("export_conversations",),
        ("prune_conversations", "--older-than", "90d"),
        ("reap_generations",),
        ("replay", "x"),
        ("usage",),
    ],
    ids=lambda arguments: arguments[0],
)
def test_a_database_without_tables_is_no_traceback(monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]) -> None:
    for model in (Conversation, Generation):
        lose_table(monkeypatch, model)
    with pytest.raises(CommandError, match=r"A table or a column is missing. Run `manage.py migrate`: .*nowhere"):
        run(*arguments)


def test_a_mistake_of_the_code_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**options: object) -> None:
        raise IntegrityError

    monkeypatch.setattr("streaming.management.commands.reap_generations.reap", fail)
    with pytest.raises(IntegrityError):
        run("reap_generations")
