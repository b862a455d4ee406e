"""The JSON value so far: the open containers, their content, and the place of the next value."""

from __future__ import annotations

from typing import Any

Container = dict[str, Any] | list[Any]
Path = tuple[str | int, ...]


class JSONTree:
    """Builds a value from the outside in: a container gets its place when it opens, and is filled later."""

    __slots__ = ("_root", "_stack", "place")

    def __init__(self) -> None:
        self._root: Any = None
        self._stack: list[Any] = []
        self.place: list[str | int] = []
        """The place of the next value: one key or index for each open container."""

    @property
    def depth(self) -> int:
        return len(self._stack)

    @property
    def is_in_object(self) -> bool:
        return bool(self._stack) and isinstance(self._stack[-1], dict)

    def put(self, value: Any) -> None:
        """Puts a complete value in its place. If a key comes twice, the later value counts, as in `json.loads`."""
        if self._stack:
            _set(self._stack[-1], self.place[-1], value)
        else:
            self._root = value

    def open(self, container: Container) -> None:
        self.put(container)
        self._stack.append(container)
        self.place.append(0)

    def close(self) -> None:
        self._stack.pop()
        self.place.pop()

    def snapshot(self, unfinished: str | None = None) -> Any:
        """Returns the value so far, with the text of an unfinished string in its place.

        It copies open containers and shares finished ones, so a snapshot never changes later.
        """
        if not self._stack:
            return self._root if unfinished is None else unfinished
        copies = [container.copy() for container in self._stack]
        for parent, key, child in zip(copies, self.place, copies[1:], strict=False):
            parent[key] = child
        if unfinished is not None:
            _set(copies[-1], self.place[-1], unfinished)
        return copies[0]


def _set(container: Any, key: str | int, value: Any) -> None:
    if isinstance(container, list):
        container.append(value)
    else:
        container[key] = value
