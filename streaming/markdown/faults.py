"""Faults that cost an answer its looks, not its words: the log tells of each kind once."""

from __future__ import annotations

import functools
import logging

logger = logging.getLogger(__name__)


def note_fault(place: str, error: Exception) -> None:
    """Writes to the log what failed at `place`, once in a process: the tail is drawn again many times a second.

    The log has the class of the error and not its text, which may quote the answer.
    """
    _note(place, type(error).__name__)


@functools.cache
def _note(place: str, kind: str) -> None:
    logger.warning("An answer is shown in part without its Markdown: %s failed (%s).", place, kind)
