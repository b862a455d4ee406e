"""`manage.py import_conversations` reads what `export_conversations` wrote in the format jsonl."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from streaming.archive import BadLine, read_archive
from streaming.management.files import opened
from streaming.management.progress import ReportingCommand


class Command(ReportingCommand):
    help = (
        "Import conversations that export_conversations wrote. If a line is wrong, nothing is imported. "
        "The users of the conversations must exist."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("file", nargs="?", default="-", help="What to read; - is standard input, the default.")
        parser.add_argument(
            "--skip-bad",
            action="store_true",
            help="Leave out the conversations of wrong lines, report those lines, and import the others.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        with opened(options["file"]) as lines, self.progress(options, "lines") as progress:
            try:
                done = read_archive(lines, skips_bad=options["skip_bad"], on_line=progress.show)
            except BadLine as error:
                raise CommandError(f"Nothing was imported. {options['file']}, {error}") from error
        bad = [{"line": error.number, "reason": error.reason} for error in done.bad]
        result = {"imported": done.imported, "bad": bad}
        said = [f"{count} × {table}" for table, count in done.imported.items()]
        self.report(options, result, "\n".join([f"Imported: {', '.join(said)}.", *map(str, done.bad)]))
