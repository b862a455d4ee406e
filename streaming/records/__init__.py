"""What rows keep as JSON about an answer: when it grew, and which providers were tried.

Such a column may have another shape, because another version of the app wrote it, or because somebody changed it by
hand. So nobody reads it but by these functions. Each returns None for a value of another shape, as for an empty one.
Pages for staff then say that the stored value cannot be read.
"""

from __future__ import annotations

from streaming.records.reading import readable
from streaming.records.timeline import TimelineEntry, checked_timeline, timeline_of
from streaming.records.tries import Tried, tries_of

__all__ = ["TimelineEntry", "Tried", "checked_timeline", "readable", "timeline_of", "tries_of"]
