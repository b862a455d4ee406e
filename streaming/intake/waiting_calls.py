"""The states of an answer's tool calls, and which of a client's answers to them count.

A call waits for its client if the answer's last generation has finished and the call is unanswered. It waits for an
output if the client executes it, and for a decision if a person was asked. A question stays open even if the process
has died. Clients also send answers that the server already has; these are ignored. A forged answer is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from django.utils.translation import gettext as _

from streaming.errors import BadRequest, Conflict
from streaming.intake.submission import ToolAnswer
from streaming.models import Message, Status, parts_of
from streaming.protocol import Part, ToolApproval, ToolCall, ToolResult
from streaming.tools import Toolbox

DENIED = "The person refused this call."


class CallStates(NamedTuple):
    """The calls of an answer by id, and the ids of the calls in each state.

    `decided` calls have a result or a decision. `asked` calls wait for a person's decision. `waiting` calls wait for
    their client: either they are in `asked`, or the client executes them.
    """

    calls: dict[str, ToolCall]
    decided: frozenset[str]
    asked: frozenset[str]
    waiting: frozenset[str]


def call_states(rows: Sequence[Message]) -> CallStates:
    """Reads the states from an answer's rows, oldest first. The last row must have its generation loaded."""
    parts = parts_of(rows)
    last = rows[-1]
    calls = {part.id: part for part in parts if isinstance(part, ToolCall)}
    answers = [part for part in parts if isinstance(part, ToolResult | ToolApproval)]
    decided = frozenset(part.call_id for part in answers if _is_decision(part))
    asked = frozenset(part.call_id for part in answers if not _is_decision(part))
    newest = {part.id for part in last.typed_parts if isinstance(part, ToolCall)}
    open_to = {Status.FINISHED: newest, Status.INTERRUPTED: newest & asked}
    unanswered = open_to.get(Status(last.generation.status), set()) - decided
    waiting = frozenset(id for id in unanswered if _is_ours(calls[id]))
    return CallStates(calls, decided, asked - decided, waiting)


def fresh_answers(states: CallStates, answers: Sequence[ToolAnswer], toolbox: Toolbox) -> list[ToolAnswer]:
    """Returns the `answers` for which calls wait. Clients repeat earlier answers with each request.

    Raises:
        BadRequest: an answer is for an unknown call, or two are for the same call.
        Conflict: an answer is for a call that does not wait for it.
    """
    fresh: list[ToolAnswer] = []
    for answer in answers:
        call = states.calls.get(answer.call_id)
        if call is None:
            raise BadRequest(_("There is no such tool call in this answer."))
        if not _is_ours(call) or answer.call_id in states.decided:
            continue
        if not _is_awaited(answer, call, states, toolbox):
            raise Conflict(_("The tool call does not wait for that. Load the conversation again."))
        if any(known.call_id == answer.call_id for known in fresh):
            raise BadRequest(_("There are two answers to one tool call. Send one."))
        fresh.append(answer)
    return fresh


def check_all_answered(states: CallStates, fresh: Sequence[ToolAnswer], toolbox: Toolbox) -> None:
    """Checks that no call still waits. The model continues only once, so a later answer would be lost.

    Raises:
        Conflict: other calls wait for their client, too.
    """
    answered = {answer.call_id for answer in fresh}
    answerable = {
        id for id in states.waiting if id in states.asked or toolbox.executable(states.calls[id].name) is None
    }
    if not answerable <= answered:
        raise Conflict(_("Other tool calls of this answer wait, too. Send the answers to all of them at once."))


def given_parts(fresh: Sequence[ToolAnswer]) -> tuple[Part, ...]:
    """The parts with which the new generation's message begins."""
    return tuple(part for answer in fresh for part in _given(answer))


def due_calls(states: CallStates, fresh: Sequence[ToolAnswer]) -> tuple[ToolCall, ...]:
    """The approved calls, which are executed first."""
    approved = (answer for answer in fresh if isinstance(answer, ToolApproval) and answer.is_approved)
    return tuple(states.calls[answer.call_id] for answer in approved)


def _is_decision(part: ToolAnswer) -> bool:
    return isinstance(part, ToolResult) or part.is_approved is not None


def _is_ours(call: ToolCall) -> bool:
    """True if this side, not the provider, may answer the call."""
    return call.is_complete and not call.is_provider_executed


def _is_awaited(answer: ToolAnswer, call: ToolCall, states: CallStates, toolbox: Toolbox) -> bool:
    if call.id not in states.waiting:
        return False
    if isinstance(answer, ToolApproval):
        return call.id in states.asked
    return call.id not in states.asked and toolbox.executable(call.name) is None


def _given(answer: ToolAnswer) -> Iterator[Part]:
    yield answer
    if isinstance(answer, ToolApproval) and not answer.is_approved:
        text = f"{DENIED} {answer.reason}".strip()
        yield ToolResult(call_id=answer.call_id, output=text, is_error=True)
