"""`manage.py reap_generations` settles the generations of dead processes, and deletes what is old."""

from __future__ import annotations

from typing import Any

from streaming.access import prune_visitors
from streaming.conf import settings
from streaming.journal import prune_frames
from streaming.management.progress import ReportingCommand
from streaming.settlement import reap


class Command(ReportingCommand):
    help = (
        "Settle generations whose process has gone silent as interrupted, with everything their journal holds, "
        "and delete the journal of generations settled longer ago than STREAMING_JOURNAL_RETENTION_SECONDS and "
        "the conversations that visitors have not used within STREAMING_VISITOR_RETENTION_SECONDS."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        interrupted, pruned = reap(silent_for=settings.LEASE_SECONDS), prune_frames()
        forgotten = sum(iter(prune_visitors, 0))
        text = (
            f"{interrupted} generations settled as interrupted, {pruned} journal entries and "
            f"{forgotten} conversations of visitors deleted."
        )
        self.report(options, {"interrupted": interrupted, "journal_entries": pruned, "forgotten": forgotten}, text)
