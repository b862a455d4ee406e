"""The size of the fault tests, and their random numbers.

`FAULTS=short` (the default) takes minutes and has fixed seeds. `FAULTS=long` does the numbers of `docs/reliability.md`
with new seeds. `FAULTS=cluster` is the short form with nginx in front of two processes: see `tests.faults.stages`.
`FAULT_SEED=…` repeats a run: a failing test prints its own seed.
"""

from __future__ import annotations

import os
import random
from typing import TypeVar

IS_LONG = os.environ.get("FAULTS", "short") == "long"
IS_CLUSTER = os.environ.get("FAULTS") == "cluster"
T = TypeVar("T")


def scaled(short: T, long: T) -> T:
    return long if IS_LONG else short


def chance(name: str) -> random.Random:
    """The random numbers of the test `name`."""
    seed = os.environ.get("FAULT_SEED") or (str(random.SystemRandom().getrandbits(32)) if IS_LONG else "1")
    print(f"FAULT_SEED={seed}")
    return random.Random(f"{seed} {name}")


# Seconds: the lease and the sweep of `tests.faults.settings`, and a query on a busy machine. In the short form, other
# tests run at the same time.
LEASE, SWEEP, SLACK = 3, 2, scaled(5, 2)
