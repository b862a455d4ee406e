"""The timeline of an answer, as `Generation.timeline` stores it. `streaming.runner.Timeline` writes it."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

TimelineEntry = tuple[int, str, int | str]
"""An entry of the timeline: the milliseconds since the start, the kind, and the value."""

MAX_COUNT = 2**53 - 1
"""The highest number that a browser reads exactly."""

Whole = Annotated[int, msgspec.Meta(ge=0, le=MAX_COUNT)]
Stored = list[tuple[Whole, str, Whole | str]]

VALUES: dict[str, type] = {"text": int, "reasoning": int, "step": int, "call": str, "run": str, "result": str}
"""The kind of an entry -> the type of its value. Another version may know more kinds."""


def checked_timeline(value: Any) -> list[TimelineEntry]:
    """Returns the entries of a stored timeline.

    Raises:
        msgspec.ValidationError: it has another shape.
    """
    timeline: list[TimelineEntry] = msgspec.convert(value, Stored)
    for number, (_, kind, one) in enumerate(timeline):
        wanted = VALUES.get(kind)
        if wanted is not None and not isinstance(one, wanted):
            words = f"Expected `{wanted.__name__}`, got `{type(one).__name__}`"
            raise msgspec.ValidationError(f"{words} - at `$[{number}][2]`")
    return timeline


def timeline_of(value: Any) -> list[TimelineEntry] | None:
    """Returns the value of `Generation.timeline`; None if it is empty or has another shape."""
    try:
        return None if value is None else checked_timeline(value)
    except msgspec.ValidationError:
        return None
