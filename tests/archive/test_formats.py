"""Conversations as Markdown and CSV."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import connection
from django.test.utils import CaptureQueriesContext

from streaming.archive import FORMATS, bundles, plain_cell
from streaming.models import Conversation
from tests.archive.conversations import make_all


def written(name: str) -> str:
    return "".join(FORMATS[name](bundles(Conversation.objects.all())))


@pytest.mark.usefixtures("engine", "site_tools")
async def test_markdown_has_the_shown_path_with_calls_and_files(settings: Any, stored: Path) -> None:
    await make_all(settings)
    text = await sync_to_async(written)("markdown")
    assert text.count("\n# ") == 2
    assert "File: cat.png" in text
    assert 'Call of `get_weather`:\n\n```\n{"city": "Oslo"}\n```' in text
    assert "It rains." in text


@pytest.mark.usefixtures("engine", "site_tools")
async def test_csv_has_a_row_for_each_message_and_no_formula(settings: Any, stored: Path) -> None:
    await make_all(settings)
    rows = list(csv.DictReader(io.StringIO(await sync_to_async(written)("csv"))))
    assert len(rows) == 9
    assert {row["status"] for row in rows} == {"", "finished", "failed"}
    assert next(row["text"] for row in rows if row["conversation"] == "failed") == "'=1+1"


@pytest.mark.parametrize("first", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])
def test_cell_is_never_a_formula(first: str) -> None:
    assert plain_cell(f"{first}1+1") == f"'{first}1+1"
    assert [plain_cell(one) for one in (-1, None, "1=1")] == [-1, None, "1=1"]


def test_fence_is_longer_than_those_in_the_text() -> None:
    from streaming.archive.as_markdown import _fenced

    assert _fenced("a ```` b").startswith("`````\n")


@pytest.mark.django_db
def test_queries_do_not_grow_with_the_conversations() -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            written("jsonl")
        return len(queries)

    Conversation.objects.create(key="0", owner_key="visitor:v")
    few = count()
    Conversation.objects.bulk_create(Conversation(key=f"{n}", owner_key="visitor:v") for n in range(1, 40))
    assert count() == few
