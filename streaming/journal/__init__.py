"""The log of a generation: in memory where it runs, in the database, and if there is one in Redis, for everybody else.

Frames are numbered from 1. `LiveLog` is what the owning process appends to; `database` keeps the same frames as rows,
`redis` passes them on sooner. Readers are cursors over any of them, never queues.
"""

from __future__ import annotations

from streaming.journal.base import Batch, Journal, Watch
from streaming.journal.live import LiveLog

__all__ = ["Batch", "Journal", "LiveLog", "Watch"]
