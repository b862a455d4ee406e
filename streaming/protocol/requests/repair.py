"""Repair of turns: providers accept the result, even if answers were stopped or cut, or a process crashed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from streaming.protocol.parts import Part, TextPart, ToolApproval, ToolCall, ToolResult, Turn, is_of_another_version

# The model reads this as the result of a call that has none. The process may have died while it executed the call.
NOT_EXECUTED = "There is no result of this call; it may have had its effect."


def repair(given: Sequence[Turn]) -> tuple[Turn, ...]:
    """Returns the turns without what no provider takes, and with one result for each call.

    No provider takes incomplete calls, approvals, empty turns and what another version of this package wrote.
    """
    answered = {part.call_id for turn in given for part in turn.parts if isinstance(part, ToolResult)}
    called = {part.id for turn in given for part in turn.parts if isinstance(part, ToolCall) and part.is_complete}
    return tuple(turn for one in given for turn in _repaired(one, answered, called) if turn.parts)


def _repaired(turn: Turn, answered: set[str], unanswered_yet: set[str]) -> Iterator[Turn]:
    parts = tuple(_fit(turn.parts, unanswered_yet))
    yield Turn(role=turn.role, parts=parts)
    unanswered = tuple(_unanswered(parts, answered))
    if unanswered:
        yield Turn(role="tool", parts=unanswered)


def _fit(parts: Iterable[Part], unanswered_yet: set[str]) -> Iterator[Part]:
    """Yields the parts that providers accept. Results without a call, and second results of a call, are left out."""
    for part in parts:
        if isinstance(part, ToolResult) and not part.is_provider_executed:
            if part.call_id not in unanswered_yet:
                continue
            unanswered_yet.discard(part.call_id)
        if not _is_unfit(part):
            yield part


def _is_unfit(part: Part) -> bool:
    match part:
        case ToolCall():
            return not part.is_complete
        case TextPart():
            return not part.text
        case _:
            return isinstance(part, ToolApproval) or is_of_another_version(part)


def _unanswered(parts: tuple[Part, ...], answered: set[str]) -> Iterator[ToolResult]:
    for part in parts:
        if isinstance(part, ToolCall) and not part.is_provider_executed and part.id not in answered:
            yield ToolResult(call_id=part.id, output=NOT_EXECUTED, is_error=True)
