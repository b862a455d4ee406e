"""How much is done, and by what chance.

`FAULTS=short` (the default) is minutes, with fixed seeds; `FAULTS=long` does the numbers of `docs/reliability.md` with
new ones. `FAULT_SEED=…` replays: a failing test prints its own.
"""

from __future__ import annotations

import os
import random
from typing import TypeVar

IS_LONG = os.environ.get("FAULTS", "short") == "long"
T = TypeVar("T")


def scaled(short: T, long: T) -> T:
    return long if IS_LONG else short


def chance(name: str) -> random.Random:
    """The random numbers of the test `name`."""
    seed = os.environ.get("FAULT_SEED") or (str(random.SystemRandom().getrandbits(32)) if IS_LONG else "1")
    print(f"FAULT_SEED={seed}")
    return random.Random(f"{seed} {name}")


# Seconds, as `tests.faults.settings` has them; and a look at the rows on a machine that is busy, in the short form with
# other tests, too.
LEASE, SWEEP, SLACK = 3, 2, scaled(5, 2)
