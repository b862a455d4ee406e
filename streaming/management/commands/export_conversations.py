"""`manage.py export_conversations` writes conversations to a file or to standard output."""

from __future__ import annotations

from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from streaming.access import is_redacting, redacted, redacted_text
from streaming.archive import FORMATS, Bundle, bundles, redacting
from streaming.management.files import written
from streaming.management.progress import ReportingCommand
from streaming.management.selection import add_owner_arguments, of_owner
from streaming.models import Conversation

REDACTED = " STREAMING_REDACT has hidden content; for a backup, add --unredacted."
LOST = " {lost_files} files are missing, because the storage did not give them; see the log."


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
        parser.add_argument(
            "--unredacted", action="store_true", help="Export what STREAMING_REDACT hides, too; needed for a backup."
        )
        add_owner_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        selected = of_owner(Conversation.objects.all(), options)
        if options["conversation"]:
            selected = selected.filter(key=options["conversation"])
        found = bundles(selected)
        is_redacted = is_redacting() and not options["unredacted"]
        if is_redacted:
            found = redacting(found, text=redacted_text, parts=redacted)
        counted = self.progress(options, "conversations", selected.count()).counted(found)
        tally = Counter({"conversations": 0, "lost_files": 0})
        with written(options["file"], self.stdout) as write:
            for text in FORMATS[options["format"]](_tallied(counted, tally), lambda file: tally.update(["lost_files"])):
                write(text)
        result = {**tally, "is_redacted": is_redacted, "format": options["format"], "file": options["file"]}
        told = f"{tally['conversations']} conversations exported."
        told += REDACTED if is_redacted else ""
        told += LOST.format(**tally) if tally["lost_files"] else ""
        self.report(options, result, told, beside=options["file"] == "-")


def _tallied(found: Iterable[Bundle], tally: Counter[str]) -> Iterator[Bundle]:
    """Yields the conversations, and counts each when it has been written."""
    for bundle in found:
        yield bundle
        tally["conversations"] += 1
