"""Cuts: the places at which a conversation may be cut, and the one that makes it fit.

A conversation is cut in large strides. After a cut it fills only a part of its room, so the next turns are added to an
unchanged beginning, which a provider's prompt cache knows.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from streaming.context.options import ContextOptions
from streaming.protocol import ToolApproval, ToolCall, ToolResult, Turn

DEFAULT_RESERVE = 8_192
"""The tokens that are left for an answer whose length nobody limits: Anthropic's default in this package."""


def cuts(turns: Sequence[Turn]) -> list[int]:
    """Returns the numbers of the turns at which a shorter conversation may begin, ascending; never 0.

    Each is a person's message, so a question and its answer stay together. No call is parted from its result. The last
    one is the newest question, which is always sent.
    """
    last = {
        part.call_id: at
        for at, turn in enumerate(turns)
        for part in turn.parts
        if isinstance(part, (ToolResult, ToolApproval))
    }
    found, reaches = [], -1
    for at, turn in enumerate(turns):
        if at > 0 and reaches < at and _is_question(turn):
            found.append(at)
        reaches = max([reaches, *(last.get(part.id, -1) for part in turn.parts if isinstance(part, ToolCall))])
    return found


def _is_question(turn: Turn) -> bool:
    return turn.role == "user" and not any(isinstance(part, ToolResult) for part in turn.parts)


class Load:
    """The estimated tokens of a request. `fixed` counts what is always sent; the rest depends on the first turn."""

    def __init__(self, sizes: Sequence[int], fixed: int) -> None:
        self._from = [*accumulate(reversed(sizes), initial=0)][::-1]
        self.fixed = fixed

    def turns(self, cut: int) -> int:
        """The tokens of the turns from number `cut` on."""
        return self._from[cut]

    def whole(self, cut: int) -> int:
        """The tokens of a request that begins with turn `cut`."""
        return self.fixed + self._from[cut]


def next_cut(load: Load, places: Sequence[int], now: int, most: float, keep: float) -> int:
    """Returns the turn with which a request of at most `most` tokens begins. `now` is the turn until now.

    Nothing changes while the request fits. Otherwise the turns fill `keep` of their room, or all of it if no cut leaves
    so little. If nothing fits, only the newest question is left.
    """
    if load.whole(now) <= most:
        return now
    later = [place for place in places if place > now]
    room = most - load.fixed
    fits = (place for part in (keep, 1) for place in later if load.turns(place) <= part * room)
    return next(fits, later[-1] if later else now)


def tokens_allowed(options: ContextOptions, longest_answer: int | None) -> int | None:
    """Returns the tokens that a request may have; None if the window is not known.

    `longest_answer` is the provider's own limit of an answer, in tokens.
    """
    if options.window is None:
        return None
    wanted = longest_answer or DEFAULT_RESERVE
    reserve = min(wanted, options.window // 4) if options.reserve is None else options.reserve
    return options.window - reserve
