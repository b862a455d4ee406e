"""The log of a generation: in memory where it runs, in the database for everybody else.

Frames are numbered from 1. `LiveLog` is what the owning process appends to; `database` keeps the same frames as rows.
Readers are cursors over either, never queues.
"""

from __future__ import annotations

from streaming.journal.live import LiveLog

__all__ = ["LiveLog"]
