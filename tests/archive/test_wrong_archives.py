"""A wrong line says which and imports nothing, or is left out with a report."""

from __future__ import annotations

import base64
import contextlib
import json
import re
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.files.base import ContentFile
from django.db.models import JSONField

from streaming.archive import FORMATS, BadLine, bundles, read_archive
from streaming.archive.columns import columns_of
from streaming.archive.shapes import SHAPES
from streaming.archive.tables import TABLES
from streaming.models import Attachment, Conversation, Generation, Message
from streaming.models.attachments import FilesStorage
from tests.sent_files import names

pytestmark = pytest.mark.django_db
Lines = list[dict[str, Any]]


def made(key: str, **fields: Any) -> Conversation:
    """Stores a conversation with a question that has a file, and its answer."""
    conversation = Conversation.objects.create(**{"key": key, "owner_key": "visitor:v", "provider": "default"} | fields)
    question = Message.objects.create(conversation=conversation, role="user", parts=[{"type": "text", "text": "Hi"}])
    answer = Message.objects.create(conversation=conversation, role="assistant", parent=question)
    Generation.objects.create(conversation=conversation, message=answer, provider="default", status="finished")
    name = FilesStorage().save(f"streaming/{key}", ContentFile(b"bytes"))
    digest = "277089d91c0bdf4f2e6862ba7e4a07605119431f5d13f726dd352b06f1b206a9"
    Attachment.objects.create(
        conversation=conversation, message=question, owner_key="visitor:v", file=name, size=5, digest=digest
    )
    Conversation.objects.filter(pk=conversation.pk).update(active_leaf=answer)
    return conversation


@pytest.fixture
def lines(stored: Path) -> Lines:
    """The archive of two conversations that are deleted, each of 5 rows: `a` from line 2 on, `b` from line 7 on."""
    made("a")
    made("b")
    text = "".join(FORMATS["jsonl"](bundles(Conversation.objects.all())))
    Conversation.objects.all().delete()
    for name in names(stored):
        (stored / name).unlink()
    return [json.loads(line) for line in text.splitlines()]


def read(lines: Lines, **options: Any) -> Any:
    return read_archive([line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines], **options)


def replace(number: int, line: Any) -> Callable[[Lines], None]:
    return lambda lines: lines.__setitem__(number - 1, line)


def change(number: int, **columns: Any) -> Callable[[Lines], None]:
    def spoil(lines: Lines) -> None:
        [row] = lines[number - 1].values()
        row.update(columns)

    return spoil


WRONG = [
    (replace(1, {"hello": 1}), 1, "An archive begins with"),
    (replace(3, b"{"), 3, "not JSON"),
    (replace(3, b"\xff"), 3, "not JSON"),
    (replace(3, {"mesage": {}}), 3, "no table 'mesage'"),
    (replace(3, {"message": 5}), 3, "must be an object"),
    (replace(3, [1]), 3, "one entry"),
    (change(3, colour="red"), 3, "no column 'colour'"),
    (change(3, worker="w"), 3, "no column 'worker'"),
    (change(3, id="no uuid"), 3, "'id' cannot be 'no uuid'"),
    (change(3, role="robot"), 3, "'role' is wrong"),
    (change(3, role=None), 3, "database refuses"),
    (change(3, parts=[{"type": "texte"}]), 3, "'parts' are not those of a message"),
    (change(3, parts={"type": "text"}), 3, "'parts' are not those of a message"),
    (change(4, parent="5b0c3d5e-0000-4000-8000-000000000000"), 4, "'parent' is '5b0c"),
    (change(5, message="5b0c3d5e-0000-4000-8000-000000000000"), 5, "'message' is '5b0c"),
    (change(5, status="running"), 5, "'status' cannot be 'running'"),
    (change(5, input_tokens="many"), 5, "'input_tokens' cannot be 'many'"),
    (change(5, created_at="yesterday"), 5, "'created_at' cannot be 'yesterday'"),
    (change(2, tools="get_weather"), 2, "'tools' is wrong: Expected `array"),
    (change(2, tools=["a", 5]), 2, r"'tools' is wrong: Expected `str`, got `int` - at `\$\[1\]`"),
    (change(5, timeline=[[5, "text"]]), 5, "'timeline' is wrong: Expected `array` of length 3"),
    (change(5, timeline=[[-1, "text", 2]]), 5, "'timeline' is wrong: Expected `int` >= 0"),
    (change(5, timeline=[[1, "step", 1], [5, "text", "x"]]), 5, r"Expected `int`, got `str` - at `\$\[1\]\[2\]`"),
    (change(5, timeline=[[5, "result", 7]]), 5, r"Expected `str`, got `int` - at `\$\[0\]\[2\]`"),
    (change(5, tried=["default"]), 5, r"'tried' is wrong: Expected `object`, got `str` - at `\$\[0\]`"),
    (change(5, tried=[{"provider": 5}]), 5, r"Expected `str`, got `int` - at `\$\[0\].provider`"),
    (change(5, context={"policy": 5}), 5, r"'context' is wrong: Expected `str`, got `int` - at `\$.policy`"),
    (change(5, price=[1]), 5, "'price' is wrong: Expected `object`, got `array`"),
    (change(5, price={"input": 1}), 5, "'price' is wrong: Expected `str`, got `int`"),
    (change(6, content="?"), 6, "not base64"),
    (change(6, content=base64.b64encode(b"other").decode()), 6, "SHA-256"),
    (change(6, file="../../etc/passwd"), 6, "'file' cannot be"),
    (change(6, file="streaming/\0"), 6, "'file' cannot be"),
    (change(6, media_type="text/plain\r\nX: y"), 6, "'media_type' is no media type"),
    (change(6, size=4), 6, "'size' is 4, and 'content' has 5 bytes"),
    (change(2, active_leaf="5b0c3d5e-0000-4000-8000-000000000000"), 2, "'active_leaf' is '5b0c"),
    (change(2, user="nobody"), 2, "no such user"),
    (change(2, owner_key="user:1"), 2, "must name a visitor"),
    (change(7, id="x" * 8), 7, "'id' cannot be"),
    (change(7, key="a"), 7, "database refuses"),
    (change(12, message=5), 12, "other numbers of rows"),
    (lambda lines: lines.pop(), 12, "was cut"),
    (lambda lines: lines.append({"end": {}}), 13, "after the last line of the archive"),
    (lambda lines: lines.pop(1), 2, "must come after its conversation"),
]


@pytest.mark.parametrize(("spoil", "number", "complaint"), WRONG)
def test_wrong_line_is_named_and_nothing_is_imported(
    lines: Lines, stored: Path, spoil: Callable[[Lines], None], number: int, complaint: str
) -> None:
    spoil(lines)
    with pytest.raises(BadLine, match=complaint) as caught:
        read(lines)
    assert caught.value.number == number
    assert not Conversation.objects.exists()
    assert names(stored) == []


@pytest.mark.parametrize(("spoil", "number", "complaint"), WRONG[1:-3])
def test_conversation_of_a_wrong_line_is_left_out_and_reported(
    lines: Lines, stored: Path, spoil: Callable[[Lines], None], number: int, complaint: str
) -> None:
    spoil(lines)
    result = read(lines, skips_bad=True)
    assert result.bad[0].number == number
    assert re.search(complaint, result.bad[0].reason)
    left = 2 if number == 12 else 1
    assert Conversation.objects.count() == result.imported["conversation"] == left
    assert Message.objects.count() == Generation.objects.count() * 2 == left * 2
    assert len(names(stored)) == left


def test_try_without_details_has_their_defaults(lines: Lines) -> None:
    change(5, tried=[{"provider": "first", "outcome": "overloaded"}, {"provider": "default"}])(lines)
    read(lines)
    row = Generation.objects.get(conversation__key="a")
    assert (row.asked_provider, row.tried[1]["outcome"], row.tried[1]["detail"]) == ("first", "asked", "")


def test_every_json_column_has_its_shape_checked() -> None:
    columns = {
        field.name
        for table in TABLES
        for field in columns_of(table.model, table.left_out)
        if isinstance(field, JSONField)
    }
    assert columns == {*SHAPES, "parts"}


JUNK = (5, "x", [1], {}, None, 1e400, "\0")


@pytest.mark.parametrize("number", range(2, 7))
def test_any_value_in_any_column_is_imported_or_named(lines: Lines, number: int) -> None:
    [row] = lines[number - 1].values()
    for column in list(row):
        before = row[column]
        for value in JUNK:
            row[column] = value
            with contextlib.suppress(BadLine):
                read(lines)
            Conversation.objects.all().delete()
        row[column] = before


def test_second_row_of_a_file_is_checked_too(lines: Lines) -> None:
    """An edited message has the same files as the one that it replaces."""
    [row] = lines[5].values()
    lines.insert(6, {"attachment": row | {"id": str(uuid.uuid4()), "digest": "0" * 64}})
    with pytest.raises(BadLine, match="line 7: 'content' does not have the SHA-256"):
        read(lines)


@pytest.mark.parametrize("skips_bad", [False, True])
def test_stored_file_that_cannot_be_deleted_hides_no_wrong_line(
    lines: Lines, stored: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, skips_bad: bool
) -> None:
    deleted: list[str] = []

    def delete(self: Any, name: str) -> None:
        deleted.append(name)
        if len(deleted) == 1:
            raise PermissionError("secret path")

    monkeypatch.setattr(FilesStorage, "delete", delete)
    lines.insert(6, {"message": {}})  # after the file of the first conversation
    change(12, content="?")(lines)
    with pytest.raises(BadLine) if not skips_bad else contextlib.nullcontext():
        read(lines, skips_bad=skips_bad)
    assert len(deleted) == 1
    assert "could not be deleted (PermissionError)" in caplog.text
    assert "secret path" not in caplog.text


def test_two_wrong_conversations_are_both_reported(lines: Lines) -> None:
    change(3, role="robot")(lines)
    change(8, role="robot")(lines)
    assert [error.number for error in read(lines, skips_bad=True).bad] == [3, 8]
    assert not Conversation.objects.exists()


def test_archive_that_is_there_already_is_refused(lines: Lines) -> None:
    read(lines)
    with pytest.raises(BadLine, match="may have this conversation already"):
        read(lines)
    assert Conversation.objects.count() == 2


def test_older_archive_without_a_column_gets_its_default(lines: Lines) -> None:
    del lines[2]["message"]["client_id"], lines[1]["conversation"]["tools"]
    read(lines)
    assert set(Message.objects.values_list("client_id", flat=True)) == {None}


def test_users_are_found_by_name_not_by_number(lines: Lines) -> None:
    get_user_model().objects.create_user("somebody else")
    ada = get_user_model().objects.create_user("ada")
    change(2, user="ada", owner_key=None)(lines)
    read(lines)
    found = Conversation.objects.get(key="a")
    assert (found.user, found.owner_key) == (ada, f"user:{ada.pk}")
    assert found.attachments.get().owner_key == found.owner_key
