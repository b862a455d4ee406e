"""The signals at which a site attaches its own work to answers.

    @receiver(generation_settled)
    def bill(sender, generation, **kwargs): ...

The rooms that cause the events call `announce` and `announce_at_commit`. Receivers run in threads of their own, after
the commit. So a slow one delays no answer, and one that fails is only logged.
"""

from __future__ import annotations

from streaming.signals.announce import announce, announce_at_commit, wait_for_receivers
from streaming.signals.signals import generation_settled, generation_started, tool_called

__all__ = [
    "announce",
    "announce_at_commit",
    "generation_settled",
    "generation_started",
    "tool_called",
    "wait_for_receivers",
]
