"""Continuations: an answer goes on with what its client says of its calls, in a generation and a row of its own."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from streaming.conf import settings
from streaming.errors import BadRequest, Conflict, TooLarge
from streaming.journal.opening import Opening
from streaming.limits import check_limits
from streaming.models import Conversation, Generation, Message, contributions, parts_of, path_of, turns_of
from streaming.models.messages import Role
from streaming.pending import Accepted, Sender, Start, check_idle, pending
from streaming.protocol.nesting import is_too_deep
from streaming.protocol.parts import ToolCall, ToolResult
from streaming.standing import check_all_answered, due_calls, fresh_answers, given_parts, standing
from streaming.submission import Answer, Submission
from streaming.tools import Toolbox, registered, toolbox_for


def go_on(sender: Sender, conversation: Conversation, submission: Submission) -> Accepted:
    """Continue the newest answer with what its client says of its calls."""
    path = path_of(conversation)
    rows = contributions(path)[-1] if path else []
    if not rows or submission.message_id not in (None, rows[0].public_id) or rows[-1].role != Role.ASSISTANT:
        raise Conflict("That is not the newest answer of this conversation. Load it again.")
    last: Generation = rows[-1].generation
    alias = submission.provider or last.provider
    toolbox = sender.toolbox or toolbox_for(alias, conversation.tools)
    now = standing(rows)
    # Also a tool that this provider is not offered is the site's, and no client's to answer for.
    known = Toolbox({**registered(), **toolbox.tools})
    fresh = fresh_answers(now, submission.answers, known)
    if not fresh:
        return _joined_answer(rows, submission.answers)
    check_all_answered(now, fresh, known)
    _check_size(fresh)
    due = _executable(due_calls(now, fresh), toolbox)
    check_idle(conversation)
    check_limits(sender.owner, conversation, sender.ahead)
    answer = Message(conversation=conversation, parent=rows[-1], role=Role.ASSISTANT)
    answer.set_parts(given_parts(fresh))
    opening = Opening(rows[0].public_id, parts_of(rows), answer.typed_parts, toolbox.live_fields)
    generation = pending(sender, answer, alias, opening)
    start = Start(conversation.system_prompt, turns_of(path), opening, toolbox, due)
    return Accepted(generation, start)


def _check_size(fresh: Sequence[Answer]) -> None:
    for output in (answer.output for answer in fresh if isinstance(answer, ToolResult)):
        if is_too_deep(output):
            raise BadRequest("The output of a tool is nested too deep.")
        if len(msgspec.json.encode(output)) > settings.MAX_TOOL_OUTPUT_CHARS:
            raise TooLarge("The output of a tool is larger than this site accepts.")


def _executable(due: tuple[ToolCall, ...], toolbox: Toolbox) -> tuple[ToolCall, ...]:
    """Code may have brought along a tool that is not to be had here: its approval must not be used up."""
    if any(toolbox.executable(call.name) is None for call in due):
        raise Conflict("The tool is not to be had here. Approve the call where it was asked for, or refuse it.")
    return due


def _joined_answer(rows: list[Message], answers: Sequence[Answer]) -> Accepted:
    """The generation that the same outputs started before. Who answers what that one called has seen its end."""
    called = {part.id for part in rows[-1].typed_parts if isinstance(part, ToolCall)}
    if len(rows) == 1 or any(answer.call_id in called for answer in answers):
        raise Conflict("No tool call of this answer waits for an output.")
    return Accepted(rows[-1].generation, None)
