"""The tries of an answer, as `Generation.tried` stores them. `streaming.providers.Route` collects them."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from streaming.records.reading import readable


class Tried(msgspec.Struct):
    """One try, as the row has it. `ms` is the time to the first word, or to the failure, in milliseconds.

    `outcome` is "answered", "stopped", "breaker" (it was not asked), the code of the failure, or "asked" if the process
    died before it knew. `detail` is for staff.
    """

    provider: str
    model: str = ""
    outcome: Literal["asked", "answered", "stopped", "breaker"] | str = "asked"
    detail: str = ""
    ms: int = 0


def tries_of(value: Any) -> list[Tried] | None:
    """Returns the value of `Generation.tried` as objects; None if it is empty or has another shape."""
    return readable(value, list[Tried])
