"""How the calls of an answer stand, and which of a client's answers to them count. Forged ones are refused.

A call waits for its client when the answer's last generation finished with it unanswered: for an output if the client
executes it, for a decision if a person was asked. A question stays open also when the process ended. Everything else
that a client says of calls is history, and of that the server's own is the truth.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from streaming.errors import BadRequest, Conflict
from streaming.models import Message, parts_of
from streaming.models.generations import Status
from streaming.protocol.parts import Part, ToolApproval, ToolCall, ToolResult
from streaming.submission import Answer
from streaming.tools import Toolbox

DENIED = "The person refused this call."


class Standing(NamedTuple):
    """`asked` are those calls that a person has to decide about, `waiting` all that wait for their client."""

    calls: dict[str, ToolCall]
    decided: frozenset[str]
    asked: frozenset[str]
    waiting: frozenset[str]


def standing(rows: Sequence[Message]) -> Standing:
    """Of an answer's rows, oldest first, the last with its generation."""
    parts = parts_of(rows)
    last = rows[-1]
    calls = {part.id: part for part in parts if isinstance(part, ToolCall)}
    told = [part for part in parts if isinstance(part, ToolResult | ToolApproval)]
    decided = frozenset(part.call_id for part in told if _is_decision(part))
    asked = frozenset(part.call_id for part in told if not _is_decision(part))
    newest = {part.id for part in last.typed_parts if isinstance(part, ToolCall)}
    open_to = {Status.FINISHED: newest, Status.INTERRUPTED: newest & asked}
    unanswered = open_to.get(Status(last.generation.status), set()) - decided
    waiting = frozenset(id for id in unanswered if _is_ours(calls[id]))
    return Standing(calls, decided, asked - decided, waiting)


def fresh_answers(now: Standing, answers: Sequence[Answer], toolbox: Toolbox) -> list[Answer]:
    """Those of `answers` that calls wait for; clients repeat the others with each request.

    Raises:
        BadRequest: one is for a call that there is not, or two are for the same.
        Conflict: one is for a call that does not wait for it.
    """
    fresh: list[Answer] = []
    for answer in answers:
        call = now.calls.get(answer.call_id)
        if call is None:
            raise BadRequest("There is no such tool call in this answer.")
        if not _is_ours(call) or answer.call_id in now.decided:
            continue
        if not _is_awaited(answer, call, now, toolbox):
            raise Conflict("The tool call does not wait for that. Load the conversation again.")
        if any(known.call_id == answer.call_id for known in fresh):
            raise BadRequest("There are two answers to one tool call. Send one.")
        fresh.append(answer)
    return fresh


def check_all_answered(now: Standing, fresh: Sequence[Answer], toolbox: Toolbox) -> None:
    """The model goes on once: an answer that came later would be lost.

    Raises:
        Conflict: other calls wait for their client, too.
    """
    answered = {answer.call_id for answer in fresh}
    answerable = {id for id in now.waiting if id in now.asked or toolbox.executable(now.calls[id].name) is None}
    if not answerable <= answered:
        raise Conflict("Other tool calls of this answer wait, too. Send what there is to say of all of them at once.")


def given_parts(fresh: Sequence[Answer]) -> tuple[Part, ...]:
    """What the new generation's message begins with."""
    return tuple(part for answer in fresh for part in _given(answer))


def due_calls(now: Standing, fresh: Sequence[Answer]) -> tuple[ToolCall, ...]:
    """The calls that were approved, and are to be executed."""
    approved = (answer for answer in fresh if isinstance(answer, ToolApproval) and answer.is_approved)
    return tuple(now.calls[answer.call_id] for answer in approved)


def _is_decision(part: Answer) -> bool:
    return isinstance(part, ToolResult) or part.is_approved is not None


def _is_ours(call: ToolCall) -> bool:
    """Whether it could be answered on this side at all."""
    return call.is_complete and not call.is_provider_executed


def _is_awaited(answer: Answer, call: ToolCall, now: Standing, toolbox: Toolbox) -> bool:
    if call.id not in now.waiting:
        return False
    if isinstance(answer, ToolApproval):
        return call.id in now.asked
    return call.id not in now.asked and toolbox.executable(call.name) is None


def _given(answer: Answer) -> Iterator[Part]:
    yield answer
    if isinstance(answer, ToolApproval) and not answer.is_approved:
        text = f"{DENIED} {answer.reason}".strip()
        yield ToolResult(call_id=answer.call_id, output=text, is_error=True)
