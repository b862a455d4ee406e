"""Accepting a submission: one transaction stores the user message, the assistant message and its pending generation.

A message that is sent again, with the same client id, joins the generation that it has started before. So do tool
outputs that are sent again. In the AI SDK an edited message may keep its id, so an id means the newest message with it.
"""

from __future__ import annotations

import uuid

import msgspec
from django.db import IntegrityError
from django.utils.translation import gettext_lazy as _

from streaming.conf import settings
from streaming.database import alone, retry_on_deadlock
from streaming.errors import BadRequest, Conflict, NotFound, TooLarge
from streaming.files import attach, check_taken, has_same_files
from streaming.intake.continuation import continue_answer
from streaming.intake.limits import check_conversations, check_limits
from streaming.intake.owned import UNKNOWN_CONVERSATION, find_locked
from streaming.intake.pending import Accepted, Sender, begin, idle, store
from streaming.intake.submission import Submission
from streaming.journal import Opening
from streaming.models import Conversation, History, Message, Owner, Role, title_from
from streaming.protocol import TextPart
from streaming.providers import known_alias
from streaming.settlement import check_idle
from streaming.tools import registered

UNKNOWN_MESSAGE = _("There is no such message in this conversation.")


@retry_on_deadlock
def accept(sender: Sender, submission: Submission) -> Accepted:
    """Stores the submission. The sender's worker runs it afterwards.

    Raises:
        BadRequest, Conflict, NotFound, TooLarge, TooManyRequests: it is refused, and nothing was stored.
    """
    _validate(submission)
    registered()  # imports the site's tools before the transaction begins
    try:
        with alone(sender.owner.key):  # the limits of one owner are counted and used up in one turn
            history = _history(sender.owner, submission)
            if submission.answers:
                return continue_answer(sender, history, submission)
            meant = _meant(history, submission)
            return _join(history, meant) or _answer(sender, history, meant)
    except IntegrityError as error:
        with alone(sender.owner.key):
            return _lost_the_race(sender, submission, error)


def _validate(submission: Submission) -> None:
    limit = settings.MAX_PROMPT_CHARS
    if len(submission.prompt) > limit:
        told = {"count": len(submission.prompt), "limit": limit}
        raise TooLarge(_("The message has %(count)d characters; at most %(limit)d are accepted.") % told)
    if submission.trigger == "submit-message" and submission.is_empty and not submission.answers:
        raise BadRequest(_("The message is empty. Send some text as 'prompt', or as the last of 'messages'."))
    alias = submission.provider
    if alias is not None and alias not in settings.PROVIDERS:
        allowed = ", ".join(sorted(settings.PROVIDERS))
        text = _("Unknown provider '%(alias)s', must be one of: %(allowed)s.")
        raise BadRequest(text % {"alias": alias[:64], "allowed": allowed})


def _history(owner: Owner, submission: Submission) -> History:
    """Returns the messages of the conversation, which is locked, or created if needed."""
    conversation = find_locked(owner, submission.key)
    if conversation is not None:
        return History.read(conversation)
    if submission.is_empty:
        raise NotFound(UNKNOWN_CONVERSATION)
    check_conversations(owner)
    created = Conversation(
        owner_key=owner.key,
        key=submission.key,
        user_id=owner.user_id,
        title=title_from(submission.subject),
        provider=submission.provider or "default",
        system_prompt=settings.SYSTEM_PROMPT,
    )
    store(created)
    return History(created)


def _meant(history: History, submission: Submission) -> Submission:
    """Returns the submission that the client means. Some clients "regenerate" to send a lost message again."""
    if submission.trigger != "regenerate-message" or submission.client_id is None:
        return submission
    sent = history.find(submission.client_id)
    if sent is not None and sent.text == submission.prompt:
        return msgspec.structs.replace(submission, message_id=submission.client_id)
    edited = None if sent is None else submission.client_id
    return msgspec.structs.replace(submission, trigger="submit-message", message_id=edited)


def _join(history: History, submission: Submission) -> Accepted | None:
    """Returns the generation that this message has started before; for an edit, only while it is being written."""
    if submission.client_id is None or submission.trigger != "submit-message":
        return None
    sent = history.sent_as(submission.client_id)
    if sent is None:
        return None
    is_edit = submission.client_id == submission.message_id
    is_same = sent.text == submission.prompt and has_same_files(sent, submission.files)
    if not is_same and not is_edit:
        raise Conflict(_("This message id was used for another message. Give each new message an id of its own."))
    generation = history.newest_answer(sent)
    if generation is None or (is_edit and not (generation.is_active and is_same)):
        return None
    return Accepted(generation, None)


def _answer(sender: Sender, history: History, submission: Submission) -> Accepted:
    history = idle(history)
    conversation = history.conversation
    alias = submission.provider or known_alias(conversation.provider)
    check_limits(sender.owner, len(history), alias)
    asked = _user_message(history, submission)
    answer = Message(conversation=conversation, parent=asked, role=Role.ASSISTANT)
    toolbox = sender.tools(alias, conversation)
    opening = Opening(answer.public_id, live_fields=toolbox.live_fields)
    is_new = submission.trigger != "regenerate-message"
    store(*([asked] if is_new else []), answer)
    if is_new:
        attach(asked, submission.files)
    check_taken(alias, asked.typed_parts)
    history.add(asked)
    return begin(sender, history.path(asked), answer, alias, opening, toolbox)


def _user_message(history: History, submission: Submission) -> Message:
    """Returns the message to answer. A new one is not stored yet."""
    if submission.trigger == "regenerate-message":
        return _question_of(history, submission.message_id)
    parent = history.leaf
    replaced = _replaced(history, submission)
    if replaced is not None:
        parent = history.parent_of(replaced)
        if submission.message_id == submission.client_id:
            # The edit gets the id. The replaced row gets a new one, because its own primary key may be that id.
            replaced.client_id = str(uuid.uuid4())
            replaced.save(update_fields=("client_id",))
    message = Message(conversation=history.conversation, parent=parent, role=Role.USER, client_id=submission.client_id)
    message.set_parts((TextPart(text=submission.prompt),))
    return message


def _replaced(history: History, submission: Submission) -> Message | None:
    """The message that an edit replaces; None for an edit of a message that was refused or lost."""
    if submission.message_id is None:
        return None
    found = history.find(submission.message_id)
    if found is None and submission.message_id != submission.client_id:
        raise NotFound(UNKNOWN_MESSAGE)
    if found is not None and found.role != Role.USER:
        raise BadRequest(_("Only a message of the user's can be edited."))
    return found


def _question_of(history: History, message_id: str | None) -> Message:
    """The user message whose answer is generated again."""
    message = history.find(message_id) if message_id else history.leaf
    if message is None and message_id:
        raise NotFound(UNKNOWN_MESSAGE)
    while message is not None and message.role != Role.USER:
        message = history.parent_of(message)
    if message is None:
        raise BadRequest(_("There is no message to answer in this conversation yet."))
    return message


def _lost_the_race(sender: Sender, submission: Submission, error: IntegrityError) -> Accepted:
    """Joins the request that stored the same message a moment earlier, or refuses: another answer has begun.

    Raises `error` if there was no race. Then it came from a signal receiver of the site.
    """
    conversation = Conversation.objects.find(sender.owner, submission.key)
    if conversation is None:
        raise error
    history = History.read(conversation)
    if submission.answers:
        return continue_answer(sender, history, submission)
    joined = _join(history, submission)
    if joined is None:
        check_idle(history.active)
        raise error
    return joined
