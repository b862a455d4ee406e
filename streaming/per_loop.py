"""Keeps one value for each event loop, because connections, tasks and locks belong to the loop that made them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class PerLoop(Generic[T]):
    """A table with one value for each event loop. `make` makes a value; the values of closed loops are forgotten.

    A weak dictionary would not forget them, because the values refer to their loop.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._values: dict[asyncio.AbstractEventLoop, T] = {}

    def get(self) -> T:
        """Returns the running loop's value, and makes it at the first call.

        Raises:
            RuntimeError: no event loop is running in this thread.
        """
        loop = asyncio.get_running_loop()
        if loop not in self._values:
            self._forget_closed_loops()
            self._values[loop] = self._make()
        return self._values[loop]

    def pop(self) -> T | None:
        """Forgets the running loop's value and returns it; None if there is none."""
        return self._values.pop(asyncio.get_running_loop(), None)

    def items(self) -> Iterator[tuple[asyncio.AbstractEventLoop, T]]:
        """Returns the open loops of all threads, each with its value."""
        self._forget_closed_loops()
        return iter(list(self._values.items()))

    def __len__(self) -> int:
        return len(self._values)

    def _forget_closed_loops(self) -> None:
        for loop in [loop for loop in list(self._values) if loop.is_closed()]:
            self._values.pop(loop, None)
