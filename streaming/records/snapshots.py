"""The messages of a shared link, as `Share.messages` stores them. `streaming.intake.shares` makes them."""

from __future__ import annotations

import datetime
from typing import Any

import msgspec

from streaming.records.reading import readable


class SharedMessage(msgspec.Struct, frozen=True, kw_only=True):
    """One message. `parts` is the stored form of its parts; the last three fields say how an answer ended."""

    role: str
    at: datetime.datetime
    parts: list[Any]
    status: str = ""
    reason: str = ""
    error: str = ""


def snapshot_of(value: Any) -> list[SharedMessage] | None:
    """Returns the value of `Share.messages` as objects; None if it is empty or has another shape."""
    return readable(value, list[SharedMessage])
