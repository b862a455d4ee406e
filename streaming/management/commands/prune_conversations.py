"""`manage.py prune_conversations` deletes old conversations with their files."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from streaming.archive import CONVERSATIONS_PER_DELETION, prune, unused_for, without_flagged
from streaming.management.progress import ReportingCommand
from streaming.management.selection import add_owner_arguments, age, of_owner


class Command(ReportingCommand):
    help = "Delete conversations that have not been used for a time, with their files. Running answers are left alone."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--older-than", type=age, required=True, metavar="AGE", help="For example 90d, 12h or 30m.")
        parser.add_argument(
            "--keep-flagged", action="store_true", help="Keep conversations in which staff have flagged an answer."
        )
        parser.add_argument("--dry-run", action="store_true", help="Only count; delete nothing.")
        parser.add_argument(
            "--batch",
            type=_positive,
            default=CONVERSATIONS_PER_DELETION,
            help="How many conversations one transaction deletes.",
        )
        add_owner_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        selected = of_owner(unused_for(options["older_than"]), options)
        selected = without_flagged(selected) if options["keep_flagged"] else selected
        count, done = selected.count(), 0
        progress = self.progress(options, "conversations", count)
        for deleted in () if options["dry_run"] else prune(selected, at_once=options["batch"]):
            done += deleted
            progress.show(done)
        progress.close()
        text = f"{count} conversations would be deleted." if options["dry_run"] else f"{done} conversations deleted."
        self.report(options, {"selected": count, "deleted": done}, text)


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError("must be a whole number, 1 or more")
    return int(text)
