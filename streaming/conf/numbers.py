"""The numbers of settings and options, with their limits. The types are for msgspec, which checks them."""

from __future__ import annotations

from typing import Annotated

import msgspec

MOST_DAYS = 36_500
"""A hundred years. Databases and Python have no dates for much longer ago."""

MOST_SECONDS = 1_000_000_000
"""About thirty years. `timedelta` and the intervals of databases do not hold every larger number."""

Count = Annotated[int, msgspec.Meta(ge=0)]
AtLeastOne = Annotated[int, msgspec.Meta(ge=1)]
Seconds = Annotated[float, msgspec.Meta(gt=0, le=MOST_SECONDS)]
SecondsOrZero = Annotated[float, msgspec.Meta(ge=0, le=MOST_SECONDS)]
