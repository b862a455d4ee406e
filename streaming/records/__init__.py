"""What rows keep as JSON: when an answer grew, which providers were tried, what a shared link shows.

Such a column may have another shape, because another version of the app wrote it, or because somebody changed it by
hand. So only these functions read it. Each returns None for a value of another shape, as for an empty one. Pages then
say that the stored value cannot be read.
"""

from __future__ import annotations

from streaming.records.reading import readable
from streaming.records.snapshots import SharedMessage, snapshot_of
from streaming.records.timeline import TimelineEntry, checked_timeline, timeline_of
from streaming.records.tries import Tried, tries_of

__all__ = [
    "SharedMessage",
    "TimelineEntry",
    "Tried",
    "checked_timeline",
    "readable",
    "snapshot_of",
    "timeline_of",
    "tries_of",
]
