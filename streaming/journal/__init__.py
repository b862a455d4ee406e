"""The log of a generation: its frames, numbered from 1, in three stores.

`LiveLog` is in the memory of the process that runs the generation; `live_logs()` finds it there. The database keeps the
same frames as rows; if the stores differ, the database is right (`write_frames`, `read_frames`). Redis is optional and
passes the frames on sooner (`redis_journal`). A reader holds the number of its last frame; no store has a list of
readers. `replay` makes the frames of a settled generation again from its row.
"""

from __future__ import annotations

from streaming.journal.contract import Batch, Journal, JournalUnavailable, Watch
from streaming.journal.database import EVERY_FRAME, Polling, prune_frames, read_frames, read_status, write_frames
from streaming.journal.live import LiveLog, live_logs
from streaming.journal.mirror import Mirror
from streaming.journal.opening import Opening
from streaming.journal.optional_redis import close_journals, redis_journal, seize
from streaming.journal.replay import opening_of, replay

__all__ = [
    "EVERY_FRAME",
    "Batch",
    "Journal",
    "JournalUnavailable",
    "LiveLog",
    "Mirror",
    "Opening",
    "Polling",
    "Watch",
    "close_journals",
    "live_logs",
    "opening_of",
    "prune_frames",
    "read_frames",
    "read_status",
    "redis_journal",
    "replay",
    "seize",
    "write_frames",
]
