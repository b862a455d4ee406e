"""`manage.py export_conversations` writes conversations to a file or to standard output."""

from __future__ import annotations

import functools
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, OutputWrapper

from streaming.archive import FORMATS, bundles
from streaming.management.progress import ReportingCommand
from streaming.management.selection import add_owner_arguments, of_owner
from streaming.models import Conversation


class Command(ReportingCommand):
    help = (
        "Export conversations, oldest first. import_conversations reads the format jsonl back without loss, "
        "with branches and files. markdown has the path that is shown, csv one row for each message."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("file", nargs="?", default="-", help="Where to write; - is standard output, the default.")
        parser.add_argument("--format", choices=FORMATS, default="jsonl")
        parser.add_argument("--conversation", metavar="KEY", help="Only conversations with this key.")
        add_owner_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        selected = of_owner(Conversation.objects.all(), options)
        if options["conversation"]:
            selected = selected.filter(key=options["conversation"])
        count = selected.count()
        counted = self.progress(options, "conversations", count).counted(bundles(selected))
        with _opened(options["file"], self.stdout) as write:
            for text in FORMATS[options["format"]](counted):
                write(text)
        result = {"conversations": count, "format": options["format"], "file": options["file"]}
        self.report(options, result, f"{count} conversations exported.", beside=options["file"] == "-")


@contextmanager
def _opened(name: str, standard: OutputWrapper) -> Iterator[Callable[[str], Any]]:
    """Opens the file, and yields the function that writes to it. It appears under its name only if it is whole.

    Raises:
        CommandError: it cannot be written.
    """
    if name == "-":
        yield functools.partial(standard.write, ending="")
        return
    unfinished = Path(f"{name}.unfinished")
    try:
        with unfinished.open("w", encoding="utf-8", newline="") as file:
            yield file.write
        unfinished.replace(name)
    except OSError as error:
        raise CommandError(f"{name} cannot be written: {error.strerror}.") from error
    finally:
        unfinished.unlink(missing_ok=True)
