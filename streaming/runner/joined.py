"""Joins the deltas that arrive together, so that one frame has all their words. A fast provider sends many at once."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from streaming.protocol import Event, ReasoningDelta, RefusalDelta, TextDelta, ToolCallDelta

DELTAS = frozenset({TextDelta, ReasoningDelta, RefusalDelta, ToolCallDelta})


def joined(events: Sequence[Event]) -> Sequence[Event]:
    """Returns the events, with one delta in place of those of a part that follow each other."""
    if len(events) < 2:
        return events
    together: list[Event] = []
    for place, group in groupby(events, _place):
        if place is None:
            together.extend(group)
        else:
            kind, part, choice = place
            text = "".join(delta.text for delta in group)  # type: ignore[attr-defined]
            together.append(kind(part, text, choice))
    return together


def _place(event: Event) -> Any:
    """Returns what is equal for deltas that can be joined: the class, the part and the choice. None: not a delta."""
    kind = event.__class__
    return (kind, event.part, event.choice) if kind in DELTAS else None  # type: ignore[attr-defined]
