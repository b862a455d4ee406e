"""The site in a process whose clock is wrong by `CLOCK_SKEW` seconds, for Python and for Django."""

from __future__ import annotations

import datetime
import os
import time

SKEW = float(os.environ["CLOCK_SKEW"])
right_time = time.time


class Skewed(datetime.datetime):
    """A `datetime.datetime` that is early or late."""

    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> Skewed:
        return super().now(tz) + datetime.timedelta(seconds=SKEW)


time.time = lambda: right_time() + SKEW
datetime.datetime = Skewed  # type: ignore[misc]

from project.asgi import application as application  # noqa: E402
