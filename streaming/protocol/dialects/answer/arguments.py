"""The arguments of one call: servers send fragments, the whole text so far, or the whole object so far."""

from __future__ import annotations

from typing import Any

import msgspec

from streaming.protocol.dialects.answer.call import PLACEHOLDER, Call
from streaming.protocol.dialects.answer.verdict import judge

# How often a fragment, or the whole text, is compared with all before it. Without a bound, hostile ones would cost
# quadratic time.
MAX_COMPARISONS = 8
BEGINNINGS = ("{", '"', "n")
"""What complete arguments begin with: an object, its JSON as text, or `null`."""

# A deeper object is refused as arguments anyway.
MAX_COMPARED_LEVELS = 100


class Arguments:
    """Passes on only the new text of each fragment.

    JSON arguments cannot begin with the whole text before them, except where a value is due (`{"a":`, then `{"a":`).
    So one such fragment is held back. If the next begins with it, the server accumulates. If not, both are new text.
    """

    def __init__(self, call: Call) -> None:
        call.before_end = self.settle
        self.snapshot: dict[str, Any] | None = None
        """The arguments that came as an object and not as text."""
        self._call = call
        self._held = ""
        """A fragment that begins with the whole text before it."""
        self._is_cumulative = False
        """True if the server sends the whole text so far."""
        self._comparisons = 0
        """How often a fragment was compared with complete arguments."""
        self._completions = 0
        """How often the whole arguments came at the end."""

    def add(self, text: str) -> None:
        """Reads one fragment."""
        call = self._call
        if text[:1] not in BEGINNINGS and len(text) != call.size and not self._held:  # nearly all, so it comes first
            call.add(text)
        elif self._held:
            self._decide(text)
        elif not call.is_json:
            call.add(text)
        elif call.is_placeholder and text[0] == "{":
            call.restart()
            call.add(text)
        elif self._is_whole_again(text):
            return
        elif len(text) > call.size > 0 and text[0] == call.text[0] == "{":
            self._compare(text)
        elif len(text) != call.size or not self._is_repetition(text):
            call.add(text)

    def complete(self, whole: str) -> None:
        """Reads the whole arguments, at their end. They count as far as they did not stream."""
        self.settle()
        call = self._call
        if self._completions == MAX_COMPARISONS:
            return
        self._completions += 1
        if call.is_json and self.is_placeholder and whole != PLACEHOLDER:
            call.restart()
        so_far = call.text
        if call.has_loss and (whole == so_far or not call.is_json or judge(whole).arguments):
            call.replace(whole)
        elif len(whole) > call.size and (not call.size or whole.startswith(so_far)):
            call.add(whole[call.size :])
        elif call.is_json and whole != so_far and judge(whole).arguments and _is_worse(so_far, whole):
            call.replace(whole)

    @property
    def is_placeholder(self) -> bool:
        """True for what may stand for the arguments that follow, such as an empty object."""
        return self._call.is_placeholder if self._call.size else self.snapshot == {}

    @property
    def is_telling(self) -> bool:
        """True if there are arguments, and they are no placeholder."""
        return bool(self._call.size or self.snapshot) and not self.is_placeholder

    def settle(self) -> None:
        """Adds the fragment that is held back, as what makes the arguments whole."""
        if self.snapshot is not None:
            self._call.announced = msgspec.json.encode(self.snapshot).decode()
        held, self._held = self._held, ""
        if held:
            self._call.add(held if judge(self._call.text + held).is_complete else held[self._call.size :])

    def snap(self, snapshot: dict[str, Any]) -> None:
        """Reads arguments that are an object and not text. It is the newest whole one, or adds to the last one."""
        self.snapshot = self.snapshot or {}
        self.snapshot.update(snapshot)
        self._call.announced = PLACEHOLDER  # written once, at the end

    def _compare(self, text: str) -> None:
        so_far = self._call.text
        if not text.startswith(so_far):
            self._call.add(text)
        elif self._is_cumulative:
            self._call.add(text[len(so_far) :])
        else:
            self._held = text

    def _decide(self, text: str) -> None:
        held, self._held = self._held, ""
        self._is_cumulative = text.startswith(held)
        self._call.add(held[self._call.size :] if self._is_cumulative else held)
        self.add(text)

    def _is_whole_again(self, text: str) -> bool:
        """Returns True for what says nothing new after the complete arguments.

        That is a placeholder, or the arguments in another form: with other spaces, or as JSON text (LiteLLM).
        """
        is_doubtful = text[:1] in BEGINNINGS and self._call.ends_with("}")
        if not is_doubtful or self._comparisons == MAX_COMPARISONS:
            return False
        self._comparisons += 1
        return repeats(self._call.text, text)

    def _is_repetition(self, text: str) -> bool:
        """Returns True if the server sent the complete arguments, or the same ones as before, a second time."""
        return self._call.text == text and (self._is_cumulative or judge(text).is_complete)


def repeats(whole: str, other: str) -> bool:
    """Returns True if `whole` is complete arguments, and `other` has the same value or a placeholder's."""
    value = judge(whole).arguments
    return value is not None and judge(other).arguments in (value, {})


def _is_worse(so_far: str, whole: str) -> bool:
    """Returns True for arguments of no use (Copilot streams a cipher first), or with holes: a delta was lost."""
    characters = iter(whole)
    has_holes = len(so_far) < len(whole) and all(each in characters for each in so_far) and not is_same(so_far, whole)
    return has_holes or not judge(so_far).is_complete


def is_same(one: str, other: str) -> bool:
    """Returns True if both texts are complete arguments with the same value."""
    value = judge(one).arguments
    return value is not None and value == judge(other).arguments


def extends(old: Any, new: Any, levels: int = MAX_COMPARED_LEVELS) -> bool:
    """Returns True if the JSON value `new` is `old`, or is what `old` may grow to while a model writes it."""
    if isinstance(old, dict) and isinstance(new, dict) and levels:
        return all(key in new and extends(value, new[key], levels - 1) for key, value in old.items())
    if isinstance(old, list) and isinstance(new, list) and levels:
        return len(old) <= len(new) and all(extends(a, b, levels - 1) for a, b in zip(old, new, strict=False))
    return new.startswith(old) if isinstance(old, str) and isinstance(new, str) else bool(old == new)


def text_of(arguments: Any) -> str:
    """Returns arguments of any type as text. None is empty text."""
    if arguments is None:
        return ""
    return arguments if isinstance(arguments, str) else msgspec.json.encode(arguments).decode()
