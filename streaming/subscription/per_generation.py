"""Keeps one value for each generation, which all of its readers on an event loop share."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Generic, TypeVar
from weakref import WeakValueDictionary

from streaming.per_loop import PerLoop

T = TypeVar("T")


class PerGeneration(Generic[T]):
    """A table with one value for each generation that is read. A value lives as long as one reader has it."""

    def __init__(self, make: Callable[[uuid.UUID], T]) -> None:
        self._make = make
        self._values: PerLoop[WeakValueDictionary[uuid.UUID, T]] = PerLoop(WeakValueDictionary)

    def get(self, generation_id: uuid.UUID) -> T:
        """Returns the generation's value, and makes it for its first reader."""
        values = self._values.get()
        value = values.get(generation_id)
        if value is None:
            value = values[generation_id] = self._make(generation_id)
        return value

    def __contains__(self, generation_id: uuid.UUID) -> bool:
        return generation_id in self._values.get()
