"""The ids of the calls of one answer: each call has one of its own."""

from __future__ import annotations

import itertools
from collections.abc import Collection


class CallIds:
    """Gives ids to calls, and finds the call that a result belongs to."""

    def __init__(self, taken: Collection[str] = ()) -> None:
        self._taken = taken and frozenset(taken)
        self._made = 0
        self._used: dict[str, int] = {}
        self._awaiting: dict[str, list[str]] = {}

    def take(self, given: str, *, is_provider_executed: bool = False) -> str:
        """Returns the id of a new call: the given one, or a made one that is the same for the same bytes.

        Some servers count from 0 in each answer, and some give one id to two calls. An id that an earlier call has
        gets a number appended. A call that the provider executes keeps its id if the call is of another answer.
        """
        taken = () if given and is_provider_executed else self._taken
        if not given:
            self._made += 1
            given = f"call_{self._made}"
        id = given
        if given in taken or given in self._used:
            numbers = itertools.count(self._used.get(given, 2))
            number = next(n for n in numbers if f"{given}_{n}" not in taken and f"{given}_{n}" not in self._used)
            self._used[given] = number + 1
            id = f"{given}_{number}"
        self._used.setdefault(id, 2)
        self._awaiting.setdefault(given, []).append(id)
        return id

    def answer(self, given: str) -> str:
        """Returns the id of the oldest call with the id `given` that has no result; `given` if there is none."""
        waiting = self._awaiting.get(given)
        return waiting.pop(0) if waiting else given
