"""Continuations: an answer continues with its client's outputs and decisions, in a new generation and a new row."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from streaming.errors import Conflict
from streaming.intake.bounds import check_answers
from streaming.intake.limits import check_limits
from streaming.intake.pending import Accepted, Sender, begin, store
from streaming.intake.submission import Submission, ToolAnswer
from streaming.intake.waiting_calls import call_states, check_all_answered, due_calls, fresh_answers, given_parts
from streaming.journal import Opening
from streaming.models import History, Message, Role, asked_provider, contributions, parts_of
from streaming.protocol import ToolCall
from streaming.providers import known_alias
from streaming.settlement import check_idle
from streaming.tools import Toolbox, registered

NONE_WAITS = gettext_lazy("No tool call of this answer waits for an output.")


def continue_answer(sender: Sender, history: History, submission: Submission) -> Accepted:
    """Continues the newest answer of a conversation.

    Raises:
        BadRequest, Conflict, TooLarge, TooManyRequests: it is refused, and nothing was stored.
    """
    conversation, path = history.conversation, history.path(history.leaf)
    rows = contributions(path)[-1] if path else []
    if not rows or submission.message_id not in (None, rows[0].public_id) or rows[-1].role != Role.ASSISTANT:
        raise Conflict(_("That is not the newest answer of this conversation. Load it again."))
    last = rows[-1].generation_if_any
    if last is None:  # a site's own code stored the answer, or an archive did
        raise Conflict(NONE_WAITS)
    # The calls belong to the provider that answered, also if it stood in for the one that the client names.
    asked = known_alias(asked_provider(rows))
    stays = submission.provider in (None, asked)
    alias = known_alias(last.provider) if stays else submission.provider or asked
    toolbox = sender.tools(asked if stays else alias, conversation)
    states = call_states(rows)
    # A client may not answer for any tool of the site, even if this provider is not offered that tool.
    known = Toolbox({**registered(), **toolbox.tools})
    fresh = fresh_answers(states, submission.answers, known)
    if not fresh:
        return _joined_answer(rows, submission.answers)
    check_all_answered(states, fresh, known)
    check_answers(fresh)
    due = _executable(due_calls(states, fresh), toolbox)
    check_idle(history.active)
    check_limits(sender.owner, len(history), alias)
    answer = Message(conversation=conversation, parent=rows[-1], role=Role.ASSISTANT)
    answer.set_parts(given_parts(fresh))
    opening = Opening(rows[0].public_id, parts_of(rows), answer.typed_parts, toolbox.live_fields)
    store(answer)
    return begin(sender, path, answer, alias, opening, toolbox, due)


def _executable(due: tuple[ToolCall, ...], toolbox: Toolbox) -> tuple[ToolCall, ...]:
    """Returns the calls `due`.

    Raises:
        Conflict: a tool is not known here, because other code has offered it. The approval is kept for that code.
    """
    if any(toolbox.executable(call.name) is None for call in due):
        raise Conflict(_("This site does not have the tool. Approve the call where it was asked for, or refuse it."))
    return due


def _joined_answer(rows: list[Message], answers: Sequence[ToolAnswer]) -> Accepted:
    """Returns the generation that the same answers have started before.

    Raises:
        Conflict: they have started none, or they are for calls of that generation itself, which wait for nothing.
    """
    called = {part.id for part in rows[-1].typed_parts if isinstance(part, ToolCall)}
    if len(rows) == 1 or any(answer.call_id in called for answer in answers):
        raise Conflict(NONE_WAITS)
    return Accepted(rows[-1].generation, None)
