"""`manage.py prune_conversations` deletes old conversations with their files, and the old log of staff."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.core.management.base import CommandError
from django.db.models import QuerySet

from streaming.archive import (
    CONVERSATIONS_PER_DELETION,
    accesses_before,
    prune,
    prune_accesses,
    unused_for,
    without_flagged,
)
from streaming.management.progress import ReportingCommand
from streaming.management.selection import add_owner_arguments, age, of_owner

LARGEST_BATCH = 10_000
"""Databases do not take a statement that names many more rows."""


class Command(ReportingCommand):
    help = "Delete conversations that have not been used for a time, with their files. Running answers are left alone."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--older-than", type=age, metavar="AGE", help="For example 90d, 12h or 30m.")
        parser.add_argument(
            "--staff-access", type=age, metavar="AGE", help="Delete the log of what staff saw, if it is older."
        )
        parser.add_argument(
            "--keep-flagged", action="store_true", help="Keep conversations in which staff have flagged an answer."
        )
        parser.add_argument("--dry-run", action="store_true", help="Only count; delete nothing.")
        parser.add_argument(
            "--batch",
            type=_batch,
            default=CONVERSATIONS_PER_DELETION,
            help="How many conversations one transaction deletes.",
        )
        add_owner_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        if options["older_than"] is None and options["staff_access"] is None:
            raise CommandError("Say what to delete: --older-than 90d, --staff-access 730d, or both.")
        result = self._prune_conversations(options) | self._prune_accesses(options)
        told, verb = ("selected", "would be deleted") if options["dry_run"] else ("deleted", "deleted")
        named = {told: "conversations", f"staff_access_{told}": "rows of the staff's log"}
        lines = [f"{result[key]} {what} {verb}." for key, what in named.items() if key in result]
        self.report(options, result, "\n".join(lines))

    def _prune_conversations(self, options: dict[str, Any]) -> dict[str, int]:
        if options["older_than"] is None:
            return {}
        selected = of_owner(unused_for(options["older_than"]), options)
        selected = without_flagged(selected) if options["keep_flagged"] else selected
        count = selected.count()
        deletions = () if options["dry_run"] else prune(selected, at_once=options["batch"])
        return {"selected": count, "deleted": self.run_steps(options, "conversations", deletions, count)}

    def _prune_accesses(self, options: dict[str, Any]) -> dict[str, int]:
        if options["staff_access"] is None:
            return {}
        selected: QuerySet[Any] = accesses_before(options["staff_access"])
        count = selected.count()
        deletions = () if options["dry_run"] else prune_accesses(selected)
        deleted = self.run_steps(options, "rows", deletions, count)
        return {"staff_access_selected": count, "staff_access_deleted": deleted}


def _batch(text: str) -> int:
    if not (text.isdecimal() and len(text) <= len(str(LARGEST_BATCH)) and 1 <= int(text) <= LARGEST_BATCH):
        raise ArgumentTypeError(f"must be a whole number from 1 to {LARGEST_BATCH}")
    return int(text)
