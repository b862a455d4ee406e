"""An archive that is imported into an empty database gives the same archive again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db.models import AutoField

from streaming.archive import FORMATS, bundle, bundles, read_archive
from streaming.archive.bundle import _rows_of
from streaming.archive.reading import BY_NAME
from streaming.archive.tables import TABLES, Table
from streaming.models import Conversation, Feedback, Generation, JournalEntry, Message, SideCall, Summary
from streaming.testing import frames_of
from tests import engine
from tests.archive.conversations import delete_all, make_all, tree
from tests.engine import Script
from tests.sent_files import names, submit
from tests.stepwise import requests

pytestmark = pytest.mark.usefixtures("engine", "site_tools")


def archive() -> bytes:
    return "".join(FORMATS["jsonl"](bundles(Conversation.objects.all()))).encode()


def imported(data: bytes, **options: Any) -> Any:
    return read_archive(data.splitlines(keepends=True), **options)


async def test_round_trip_is_exact_to_the_byte(settings: Any, stored: Path) -> None:
    await make_all(settings)
    before, told, files = await sync_to_async(archive)(), await sync_to_async(tree)(), names(stored)
    assert len(files) == 1
    await sync_to_async(delete_all)()
    assert names(stored) == []
    result = await sync_to_async(imported)(before)
    assert await sync_to_async(archive)() == before
    assert await sync_to_async(tree)() == told
    assert names(stored) == files
    assert result.imported == {
        "conversation": 3, "message": 9, "generation": 5, "attachment": 2, "review": 2, "feedback": 2,
        "summary": 1, "side_call": 1,
    }  # fmt: skip
    assert not await JournalEntry.objects.aexists()


async def test_imported_conversation_goes_on(settings: Any, stored: Path, scripted: Script) -> None:
    await make_all(settings)
    data = await sync_to_async(archive)()
    await sync_to_async(delete_all)()
    await sync_to_async(imported)(data)
    scripted(text="Still here.")
    await submit("And now?", key="tools")
    _, answer, _ = requests()[-1].turns
    assert [type(part).__name__ for part in answer.parts] == ["TextPart", "ToolCall", "ToolResult", "TextPart"]


async def test_every_column_is_in_the_archive_or_left_out_on_purpose(settings: Any, stored: Path) -> None:
    await make_all(settings)
    lines = [json.loads(line) for line in (await sync_to_async(archive)()).splitlines()]
    for table in TABLES:
        fields = [field for field in table.model._meta.concrete_fields if not isinstance(field, AutoField)]
        columns = {field.name for field in fields} - table.left_out
        rows = [line[table.name] for line in lines if table.name in line]
        assert rows
        assert all(set(row) - {"content"} == columns for row in rows)


async def test_running_answer_is_archived_as_interrupted(scripted: Script) -> None:
    scripted(text="a b c", delay=30)
    await engine.submit()
    data = await sync_to_async(archive)()
    [row] = [entry for line in data.splitlines() if (entry := json.loads(line).get("generation"))]
    assert (row["status"], row["error_code"]) == ("interrupted", "interrupted")
    await sync_to_async(delete_all)()
    await sync_to_async(imported)(data)
    assert (await Generation.objects.aget()).status == "interrupted"
    assert await Message.objects.acount() == 2


def test_archive_that_is_made_while_people_write_can_be_imported(monkeypatch: pytest.MonkeyPatch, db: None) -> None:
    for key in ("talks", "goes"):
        Conversation.objects.create(key=key, owner_key="visitor:v", provider="default")

    def read_meanwhile(conversations: Any, table: Table) -> Any:
        _write_more(Conversation.objects.get(key="talks"))
        rows = _rows_of(conversations, table)
        Conversation.objects.filter(key="goes").delete()
        return rows

    _write_more(Conversation.objects.get(key="goes"))
    monkeypatch.setattr(bundle, "_rows_of", read_meanwhile)
    data = archive()
    Conversation.objects.all().delete()
    monkeypatch.undo()
    assert imported(data).imported["conversation"] == 1
    assert Generation.objects.exists()
    assert archive() == data


def _write_more(conversation: Conversation) -> None:
    """Adds a turn, as a person who writes during an export does."""
    leaf = conversation.active_leaf
    question = Message.objects.create(conversation=conversation, role="user", parts=[], parent=leaf)
    answer = Message.objects.create(conversation=conversation, role="assistant", parent=question, parts=[])
    row = Generation.objects.create(conversation=conversation, message=answer, provider="default", status="finished")
    Summary.objects.create(conversation=conversation, generation=row, upto=question, provider="default")
    Feedback.objects.create(message=answer, thumb=1)
    conversation.active_leaf = answer
    conversation.save()


async def test_archive_from_before_side_calls_is_imported(settings: Any, stored: Path) -> None:
    await make_all(settings)
    lines = [json.loads(line) for line in (await sync_to_async(archive)()).splitlines()]
    older = [line for line in lines if "side_call" not in line]
    del older[-1]["end"]["side_call"]
    await sync_to_async(delete_all)()
    await sync_to_async(imported)(b"".join(json.dumps(line).encode() + b"\n" for line in older))
    assert (await Message.objects.acount(), await SideCall.objects.acount()) == (9, 0)


async def test_call_that_is_under_way_is_archived_and_imported_as_interrupted(settings: Any, stored: Path) -> None:
    await make_all(settings)
    for kind in (SideCall, Summary):
        await kind.objects.aupdate(status="pending")
    data = await sync_to_async(archive)()
    older = data.replace(b'"status":"interrupted"', b'"status":"pending"')
    assert data.count(b'"status":"interrupted"') == 2
    for text in (data, older):
        await sync_to_async(delete_all)()
        await sync_to_async(imported)(text)
        assert [(await kind.objects.aget()).status for kind in (SideCall, Summary)] == ["interrupted"] * 2
    assert (await SideCall.objects.aget()).error_code == "interrupted"


async def test_further_model_is_one_more_entry(scripted: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that hangs on another row of the conversation, and whose keys the database chooses."""
    scripted(text="one two")
    await frames_of((await engine.submit()).pk)
    further = Table("entry", JournalEntry, "generation__conversation", left_out=frozenset({"frames"}))
    for module in ("bundle", "as_jsonl", "reading", "tables"):
        monkeypatch.setattr(f"streaming.archive.{module}.TABLES", (*TABLES, further))
    monkeypatch.setitem(BY_NAME, "entry", further)
    before = await sync_to_async(archive)()
    entries = [json.loads(line)["entry"] for line in before.splitlines() if line.startswith(b'{"entry"')]
    assert entries
    assert set(entries[0]) == {"generation", "first_seq", "last_seq"}
    await sync_to_async(delete_all)()
    await sync_to_async(imported)(before)
    assert await sync_to_async(archive)() == before
    assert await JournalEntry.objects.acount() == len(entries)
