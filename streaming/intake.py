"""Intake: a person's message becomes rows, once, before any provider is called.

One transaction stores the user message, the assistant message that will be written and its pending generation. A
message that was sent before (the same client id) joins the generation it started then. The AI SDK lets an edited
message keep its id, so that an id belongs to the newest message that was sent under it.
"""

from __future__ import annotations

import uuid
from typing import NamedTuple

import msgspec
from django.db import IntegrityError, transaction

from streaming import history
from streaming.conf import settings
from streaming.errors import BadRequest, Conflict, NotFound, TooLarge
from streaming.files import attach, check_taken, has_same_files
from streaming.limits import check_limits
from streaming.models import Conversation, Generation, Message, Owner
from streaming.models.conversations import title_from
from streaming.models.generations import from_now
from streaming.models.messages import Role
from streaming.protocol.parts import TextPart, Turn
from streaming.settlement import reap_one
from streaming.submission import Submission

BUSY = "An answer is still being written in this conversation. Wait for it, or stop it."


class Accepted(NamedTuple):
    """`turns` is what the provider is to be sent; None when the generation is an earlier one that was joined."""

    generation: Generation
    system: str
    turns: tuple[Turn, ...] | None


def accept(owner: Owner, submission: Submission, worker: str) -> Accepted:
    """Store the submission for `worker` to run.

    Raises:
        BadRequest, Conflict, NotFound, TooLarge, TooManyRequests: and nothing was stored.
    """
    _validate(submission)
    try:
        with transaction.atomic():
            conversation = _conversation(owner, submission)
            meant = _meant(conversation, submission)
            return _join(conversation, meant) or _begin(owner, conversation, meant, worker)
    except IntegrityError:
        return _lost_the_race(owner, submission)


def _validate(submission: Submission) -> None:
    limit = settings.MAX_PROMPT_CHARS
    if len(submission.prompt) > limit:
        raise TooLarge(f"The message has {len(submission.prompt)} characters; at most {limit} are accepted.")
    if submission.trigger == "submit-message" and submission.is_empty:
        raise BadRequest("The message is empty. Send some text as 'prompt', or as the last of 'messages'.")
    alias = submission.provider
    if alias is not None and alias not in settings.PROVIDERS:
        allowed = ", ".join(sorted(settings.PROVIDERS))
        raise BadRequest(f"Unknown provider '{alias[:64]}', must be one of: {allowed}.")


def _conversation(owner: Owner, submission: Submission) -> Conversation:
    if submission.is_empty:
        found = Conversation.objects.owned_by(owner).filter(key=submission.key).first()
        if found is None:
            raise NotFound("There is no such conversation.")
        return found
    conversation, _ = Conversation.objects.get_or_create(
        owner_key=owner.key,
        key=submission.key,
        defaults={
            "user_id": owner.user_id,
            "title": title_from(submission.subject),
            "provider": submission.provider or "default",
            "system_prompt": settings.SYSTEM_PROMPT,
        },
    )
    return conversation


def _meant(conversation: Conversation, submission: Submission) -> Submission:
    """Clients regenerate also to try a message again that was refused, or lost on its way: that one is new here."""
    if submission.trigger != "regenerate-message" or submission.client_id is None:
        return submission
    sent = _look_up(conversation, submission.client_id)
    if sent is not None and sent.text == submission.prompt:
        return msgspec.structs.replace(submission, message_id=submission.client_id)
    edited = None if sent is None else submission.client_id
    return msgspec.structs.replace(submission, trigger="submit-message", message_id=edited)


def _join(conversation: Conversation, submission: Submission) -> Accepted | None:
    """The generation that this very message already started, if it did; for an edit, while it is being written."""
    if submission.client_id is None or submission.trigger != "submit-message":
        return None
    sent = conversation.messages.filter(client_id=submission.client_id).first()
    if sent is None:
        return None
    is_edit = submission.client_id == submission.message_id
    is_same = sent.text == submission.prompt and has_same_files(sent, submission.files)
    if not is_same and not is_edit:
        raise Conflict("This message id was used for another message. Give each new message an id of its own.")
    generation = Generation.objects.filter(message__parent=sent).select_related("message").first()
    if generation is None or (is_edit and not (generation.is_active and is_same)):
        return None
    return Accepted(generation, conversation.system_prompt, None)


def _begin(owner: Owner, conversation: Conversation, submission: Submission, worker: str) -> Accepted:
    _check_idle(conversation)
    check_limits(owner)
    asked = _user_message(conversation, submission)
    check_taken(submission.provider or conversation.provider, asked.typed_parts)
    answer = Message.objects.create(conversation=conversation, parent=asked, role=Role.ASSISTANT)
    generation = Generation.objects.create(
        conversation=conversation,
        active_conversation=conversation,
        message=answer,
        provider=submission.provider or conversation.provider,
        worker=worker,
        lease_until=from_now(settings.LEASE_SECONDS),
    )
    conversation.active_leaf = answer
    conversation.save(update_fields=("active_leaf", "updated_at"))
    asked_path = history.path(conversation, asked)
    return Accepted(generation, conversation.system_prompt, history.turns(asked_path))


def _check_idle(conversation: Conversation) -> None:
    for active in Generation.objects.filter(active_conversation=conversation):
        reap_one(active.pk)
    if Generation.objects.filter(active_conversation=conversation).exists():
        raise Conflict(BUSY)


def _user_message(conversation: Conversation, submission: Submission) -> Message:
    if submission.trigger == "regenerate-message":
        return _question_of(conversation, submission.message_id)
    parent = conversation.active_leaf
    if submission.message_id is not None:
        parent = _find(conversation, submission.message_id).parent
        if submission.message_id == submission.client_id:
            conversation.messages.filter(client_id=submission.client_id).update(client_id=None)
    message = Message(conversation=conversation, parent=parent, role=Role.USER, client_id=submission.client_id)
    message.set_parts((TextPart(text=submission.prompt),))
    message.save(force_insert=True)
    attach(message, submission.files)
    return message


def _question_of(conversation: Conversation, message_id: str | None) -> Message:
    """The user message whose answer is to be generated again."""
    message = _find(conversation, message_id) if message_id else conversation.active_leaf
    while message is not None and message.role != Role.USER:
        message = message.parent
    if message is None:
        raise BadRequest("There is no message to answer in this conversation yet.")
    return message


def _find(conversation: Conversation, message_id: str) -> Message:
    found = _look_up(conversation, message_id)
    if found is None:
        raise NotFound("There is no such message in this conversation.")
    return found


def _look_up(conversation: Conversation, message_id: str) -> Message | None:
    found = conversation.messages.filter(client_id=message_id).first()
    if found is None and _is_uuid(message_id):
        found = conversation.messages.filter(pk=message_id).first()
    return found


def _is_uuid(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True


def _lost_the_race(owner: Owner, submission: Submission) -> Accepted:
    """Another request stored the same message, or started another answer here, a moment earlier."""
    conversation = Conversation.objects.owned_by(owner).filter(key=submission.key).first()
    joined = _join(conversation, submission) if conversation else None
    if joined is None:
        raise Conflict(BUSY)
    return joined
