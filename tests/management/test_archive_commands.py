"""`manage.py export_conversations`, `import_conversations` and `prune_conversations`."""

from __future__ import annotations

import io
import json
import sys
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import pytest
from django.contrib.auth import get_user_model
from django.core.files.base import ContentFile
from django.core.management import CommandError

from streaming.archive import bundles
from streaming.files.addresses import part_of
from streaming.management.progress import Progress
from streaming.models import Attachment, Conversation, Generation, Message, Review, Summary, from_now
from streaming.models.attachments import FilesStorage
from streaming.protocol import FilePart, Part, TextPart
from tests.management.commands import result_of, run

pytestmark = pytest.mark.django_db


@pytest.fixture
def stored_conversations() -> None:
    ada = get_user_model().objects.create_user("ada")
    Conversation.objects.create(key="a", owner_key=f"user:{ada.pk}", user=ada, title="Ada's")
    Conversation.objects.create(key="v", owner_key="visitor:v", title="Visitor's")
    Conversation.objects.filter(key="v").update(updated_at=from_now(-100 * 86_400))


@pytest.mark.usefixtures("stored_conversations")
def test_export_and_import_by_file(tmp_path: Path) -> None:
    file = str(tmp_path / "all.jsonl")
    assert result_of("export_conversations", file) == {
        "conversations": 2,
        "lost_files": 0,
        "is_redacted": False,
        "format": "jsonl",
        "file": file,
    }
    before = Path(file).read_bytes()
    Conversation.objects.all().delete()
    imported = result_of("import_conversations", file)
    assert imported["imported"]["conversation"] == 2
    assert imported["bad"] == []
    run("export_conversations", file)
    assert Path(file).read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["all.jsonl"]


@pytest.mark.usefixtures("stored_conversations")
def test_export_goes_to_standard_output_and_its_result_beside() -> None:
    out, err = run("export_conversations")
    assert [next(iter(json.loads(line))) for line in out.splitlines()] == [
        "archive", "conversation", "conversation", "end",
    ]  # fmt: skip
    assert err == "2 conversations exported.\n"


@pytest.mark.usefixtures("stored_conversations")
@pytest.mark.parametrize(
    ("arguments", "titles"),
    [
        (("--user", "ada"), ["# Ada's"]),
        (("--owner", "visitor:v"), ["# Visitor's"]),
        (("--conversation", "v"), ["# Visitor's"]),
        ((), ["# Ada's", "# Visitor's"]),
    ],
)
def test_export_selects(arguments: tuple[str, ...], titles: list[str]) -> None:
    out, _ = run("export_conversations", "--format", "markdown", *arguments)
    assert [line for line in out.splitlines() if line.startswith("# ")] == titles


def test_import_from_standard_input_says_which_line_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b'{"archive": "another"}')))
    with pytest.raises(CommandError, match=r"Nothing was imported. -, line 1: An archive begins with"):
        run("import_conversations")


@pytest.mark.usefixtures("stored_conversations")
def test_import_reports_what_it_skips(tmp_path: Path) -> None:
    file = tmp_path / "all.jsonl"
    run("export_conversations", str(file))
    with pytest.raises(CommandError, match="line 2: The database refuses this row; it may have this conv"):
        run("import_conversations", str(file))
    out, _ = run("import_conversations", str(file), "--skip-bad")
    assert out.splitlines()[0].startswith("Imported: 0 × conversation, 0 × message")
    assert [line.partition(":")[0] for line in out.splitlines()[1:]] == ["line 2", "line 3"]


@pytest.mark.usefixtures("stored_conversations")
def test_prune_counts_first_and_deletes_then() -> None:
    assert result_of("prune_conversations", "--older-than", "90d", "--dry-run") == {"selected": 1, "deleted": 0}
    assert result_of("prune_conversations", "--older-than", "90d", "--user", "ada") == {"selected": 0, "deleted": 0}
    assert run("prune_conversations", "--older-than", "90d")[0] == "1 conversations deleted.\n"
    assert Conversation.objects.get().key == "a"


@pytest.mark.usefixtures("stored_conversations")
def test_prune_may_keep_flagged_conversations() -> None:
    answer = Message.objects.create(conversation=Conversation.objects.get(key="v"), role="assistant")
    Review.objects.create(message=answer, is_flagged=True)
    old = ("--older-than", "90d")
    assert result_of("prune_conversations", *old, "--keep-flagged") == {"selected": 0, "deleted": 0}
    assert result_of("prune_conversations", *old) == {"selected": 1, "deleted": 1}


def hide(part: Part) -> Part | None:
    """The site's function: files are left out, and names are hidden."""
    if isinstance(part, FilePart):
        return None
    return TextPart(text=part.text.replace("Ada", "…")) if isinstance(part, TextPart) else part


@pytest.mark.usefixtures("stored_conversations")
@pytest.mark.parametrize("kind", ["jsonl", "markdown", "csv"])
def test_export_is_redacted_unless_told_otherwise(settings: Any, stored: Path, kind: str) -> None:
    settings.STREAMING_REDACT = f"{__name__}.hide"
    conversation = Conversation.objects.get(key="a")
    name = FilesStorage().save("streaming/x", ContentFile(b"bytes"))
    file = Attachment.objects.create(
        conversation=conversation, owner_key=conversation.owner_key, file=name, name="Ada.png", size=5
    )
    parts = (part_of(file), TextPart(text="I am Ada"))
    message = Message(conversation=conversation, role="user")
    message.set_parts(parts)
    message.save()
    Attachment.objects.update(message=message)
    Conversation.objects.filter(key="a").update(active_leaf=message)
    answer = Message.objects.create(conversation=conversation, role="assistant", parent=message)
    generation = Generation.objects.create(conversation=conversation, message=answer, status="finished")
    where = {"conversation": conversation, "generation": generation, "upto": message}
    Summary.objects.create(**where, text="They are Ada", provider="default")
    shown, told = run("export_conversations", "--format", kind)
    assert told == "2 conversations exported. STREAMING_REDACT has hidden content; for a backup, add --unredacted.\n"
    assert "Ada" not in shown.replace("ada", "")
    assert "I am …" in shown
    everything, told = run("export_conversations", "--format", kind, "--unredacted")
    assert told == "2 conversations exported.\n"
    assert "I am Ada" in everything
    assert ("They are Ada" in everything, "They are …" in shown) == (kind == "jsonl", kind == "jsonl")
    assert ('"attachment":{' in everything, '"attachment":{' in shown) == (kind == "jsonl", False)
    message.refresh_from_db()
    assert message.text == "I am Ada"


def send_file(name: str) -> Attachment:
    """Stores the question of conversation `a`, with a file."""
    conversation = Conversation.objects.get(key="a")
    message = Message(conversation=conversation, role="user")
    message.save()
    stored = FilesStorage().save("streaming/x", ContentFile(b"bytes"))
    where = {"conversation": conversation, "message": message, "owner_key": conversation.owner_key}
    file = Attachment.objects.create(**where, file=stored, name=name, size=5, media_type="image/png")
    message.set_parts((part_of(file), TextPart(text="Look")))
    message.save()
    return file


@pytest.mark.usefixtures("stored_conversations")
def test_export_says_that_the_storage_has_lost_a_file(stored: Path, tmp_path: Path) -> None:
    send_file("cat.png")
    (stored / "x").unlink()
    file = str(tmp_path / "all.jsonl")
    assert result_of("export_conversations", file)["lost_files"] == 1
    told, _ = run("export_conversations", file)
    assert (
        told == "2 conversations exported. 1 files are missing, because the storage did not give them; see the log.\n"
    )
    assert result_of("export_conversations", file, "--format", "csv")["lost_files"] == 0


def rename(part: Part) -> Part | None:
    return msgspec.structs.replace(part, filename="file") if isinstance(part, FilePart) else part


@pytest.mark.usefixtures("stored_conversations")
def test_file_has_the_redacted_name_in_an_archive(settings: Any, stored: Path) -> None:
    settings.STREAMING_REDACT = f"{__name__}.rename"
    pk = send_file("Ada's diagnosis.png").pk
    shown, _ = run("export_conversations")
    assert "diagnosis" not in shown
    [row] = [entry["attachment"] for line in shown.splitlines() if "attachment" in (entry := json.loads(line))]
    assert (row["id"], row["name"], row["size"]) == (str(pk), "file", 5)


@pytest.mark.usefixtures("stored_conversations")
def test_export_counts_what_it_has_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """A conversation is deleted during the export."""

    def fewer(selected: Any) -> Any:
        return islice(bundles(selected), 1)

    monkeypatch.setattr("streaming.management.commands.export_conversations.bundles", fewer)
    assert run("export_conversations")[1] == "1 conversations exported.\n"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--older-than", "soon"), "'soon' is no age"),
        ((), "--older-than"),
        (("--older-than", "1d", "--batch", "0"), "from 1 to 10000"),
        (("--older-than", "1d", "--batch", "9" * 23), "from 1 to 10000"),
        (("--older-than", "1d", "--user", "nobody"), "no user 'nobody'"),
    ],
)
def test_prune_says_what_is_wrong(arguments: tuple[str, ...], complaint: str) -> None:
    with pytest.raises(CommandError, match=complaint):
        run("prune_conversations", *arguments)


@pytest.mark.parametrize("ends_with", [None, KeyboardInterrupt])
def test_progress_is_removed_at_the_end_and_at_ctrl_c(
    monkeypatch: pytest.MonkeyPatch, ends_with: type[BaseException] | None
) -> None:
    terminal = io.StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr("sys.stderr", terminal)
    with suppress(KeyboardInterrupt), Progress("things", 3) as progress:
        progress.show(1)
        if ends_with:
            raise ends_with
    assert terminal.getvalue() == "\r1 of 3 things\r             \r"


def test_progress_is_shown_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = io.StringIO()
    monkeypatch.setattr(sys, "stderr", terminal)
    list(Progress("things", 3).counted("abc"))
    assert terminal.getvalue() == ""
    terminal.isatty = lambda: True  # type: ignore[method-assign]
    list(Progress("things", 3).counted("abc"))
    assert "1 of 3 things" in terminal.getvalue()
    assert terminal.getvalue().endswith("\r")
