"""Takes the value out of the object in which a list or a scalar was asked for, while its text arrives."""

from __future__ import annotations

import re

from streaming.outputs.types import VALUE

_HEAD = re.compile(r'\s*\{\s*"' + VALUE + r'"\s*:\s*')
_TAIL = " \t\n\r}"
"""The characters that may be the end of a box. A pattern for them would take the square of the length of their runs."""
MAX_HEAD = 64
"""The most characters before the value. A longer beginning is no box."""


class Unwrapped:
    """Takes the text of `{"value": …}` in pieces and returns the text of the value.

    Braces and spaces at the end of a piece wait for the next one, because the last brace belongs to the box. Text that
    is no such object is returned as it is.
    """

    def __init__(self) -> None:
        self._head = ""
        self._is_box: bool | None = None
        self._held: list[str] = []

    def feed(self, text: str) -> str:
        if self._is_box is None:
            self._head += text
            text = self._begin()
        if not self._is_box:
            return text
        begun = text.rstrip(_TAIL)
        released = self._release() if begun else ""
        if begun != text:
            self._held.append(text[len(begun) :])
        return released + begun

    def close(self, *, is_complete: bool) -> str:
        """Returns what waited. Of a complete box, the last brace is left out."""
        rest = self._release() if self._is_box else ""
        return rest.rstrip()[:-1].rstrip() if is_complete and rest else rest

    def _begin(self) -> str:
        """Decides if the text is a box. Returns the text after its head."""
        head, found = self._head, _HEAD.match(self._head)
        if found and found.end() < len(head):
            self._is_box, self._head = True, ""
            return head[found.end() :]
        if len(head) > MAX_HEAD or not _may_be(head):
            self._is_box, self._head = False, ""
            return head
        return ""

    def _release(self) -> str:
        held = "".join(self._held)
        self._held.clear()
        return held


def _may_be(head: str) -> bool:
    """Returns True if the text may be the beginning of a box."""
    wanted = '{"' + VALUE + '":'
    return wanted.startswith("".join(head.split())) or _HEAD.match(head) is not None
