"""Times as people say them."""

from __future__ import annotations

import math

from django.utils.translation import gettext


def duration(milliseconds: int | None) -> str:
    """A time as people say it; empty if it is not known."""
    if not milliseconds:
        return ""
    minutes, seconds = divmod(math.floor(milliseconds / 1000 + 0.5), 60)
    pattern = gettext("{minutes} min {seconds} s") if minutes else gettext("{seconds} s")
    return pattern.format(minutes=minutes, seconds=seconds)


def thought_for(time: str) -> str:
    return gettext("Thought for {time}").format(time=time) if time else ""
