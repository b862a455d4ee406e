"""The files that commands read and write."""

from __future__ import annotations

import io
import secrets
from pathlib import Path

import pytest
from django.core.management import CommandError
from django.core.management.base import OutputWrapper

from streaming.management.files import opened, written
from tests.management.commands import run


def test_trouble_of_an_import_is_not_told_as_trouble_of_its_file() -> None:
    with pytest.raises(PermissionError), opened(__file__):
        raise PermissionError(13, "Permission denied", "media")


def test_trouble_of_an_export_is_not_told_as_trouble_of_its_file(tmp_path: Path) -> None:
    with pytest.raises(PermissionError), written(str(tmp_path / "all.jsonl"), OutputWrapper(io.StringIO())):
        raise PermissionError(13, "Permission denied", "media")
    assert not list(tmp_path.iterdir())


def test_two_exports_to_one_file_do_not_mix(tmp_path: Path) -> None:
    name, standard = tmp_path / "all.jsonl", OutputWrapper(io.StringIO())
    with written(str(name), standard) as first:
        first("first, ")
        with written(str(name), standard) as second:
            second("second")
        first("whole")
        assert name.read_text() == "second"
    assert name.read_text() == "first, whole"
    assert list(tmp_path.iterdir()) == [name]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
@pytest.mark.parametrize("size", [1, 1_000_000])
def test_full_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    monkeypatch.setattr(secrets, "token_hex", lambda size: "1")
    (tmp_path / "all.jsonl.1.unfinished").symlink_to("/dev/full")
    standard = OutputWrapper(io.StringIO())
    with (
        pytest.raises(CommandError, match="cannot be written: No space left on device"),
        written(str(tmp_path / "all.jsonl"), standard) as write,
    ):
        write("x" * size)
    assert not list(tmp_path.iterdir())


@pytest.mark.django_db
@pytest.mark.parametrize("command", ["export_conversations", "import_conversations"])
def test_file_that_cannot_be_opened_is_named(command: str, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="nowhere"):
        run(command, str(tmp_path / "nowhere" / "all.jsonl"))


def test_export_to_a_terminal_has_no_character_that_it_obeys() -> None:
    shown = io.StringIO()
    for is_terminal in (False, True):
        shown.isatty = lambda is_terminal=is_terminal: is_terminal  # type: ignore[method-assign, misc]
        with written("-", OutputWrapper(shown)) as write:
            write("a\x1b[2Jb\n")
    assert shown.getvalue() == "a\x1b[2Jb\na\N{REPLACEMENT CHARACTER}[2Jb\n"
