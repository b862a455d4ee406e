"""`manage.py reap_generations` settles the generations of dead processes and deletes old frames from the journal."""

from __future__ import annotations

from typing import Any

from streaming.conf import settings
from streaming.journal import prune_frames
from streaming.management.progress import ReportingCommand
from streaming.settlement import reap


class Command(ReportingCommand):
    help = (
        "Settle generations whose process has gone silent as interrupted, with everything their journal holds, "
        "and delete the journal of generations settled longer ago than STREAMING_JOURNAL_RETENTION_SECONDS."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        with self.progress(options, "generations settled") as generations:
            interrupted = reap(silent_for=settings.LEASE_SECONDS, on_count=generations.show)
        pruned = self.run_steps(options, "journal entries deleted", prune_frames())
        text = f"{interrupted} generations settled as interrupted, {pruned} journal entries deleted."
        self.report(options, {"interrupted": interrupted, "journal_entries": pruned}, text)
