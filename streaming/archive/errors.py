"""The errors of an import."""

from __future__ import annotations


class BadLine(Exception):
    """A line of an archive that cannot be imported. `number` counts from 1; it is 0 until the reader sets it."""

    def __init__(self, reason: str, number: int = 0) -> None:
        super().__init__(reason)
        self.reason = reason
        self.number = number

    def __str__(self) -> str:
        return f"line {self.number}: {self.reason}"
