"""AG-UI: the log of an answer in the events of that protocol, version 1.0.

Source: https://docs.ag-ui.com/concepts/events, and the schema of the packages `ag-ui-protocol` and `@ag-ui/core` 1.0.0.

`Translator` turns UI chunks into events, one chunk at a time. `Fold` turns events into the messages that a client has
after them. `sse` writes an event. Nothing here does I/O.
"""

from __future__ import annotations

from streaming.agui.events import Event, is_end, messages_snapshot, run_error, run_started, sse, with_ids
from streaming.agui.fold import Fold
from streaming.agui.ids import own_id
from streaming.agui.translator import Translator

__all__ = [
    "Event",
    "Fold",
    "Translator",
    "is_end",
    "messages_snapshot",
    "own_id",
    "run_error",
    "run_started",
    "sse",
    "with_ids",
]
