"""Keeps the owner's opinion of an answer beside it, as `Feedback`, and removes it again."""

from __future__ import annotations

import msgspec
from django.utils.translation import gettext as _

from streaming.database import atomic, retry_on_deadlock
from streaming.errors import NotFound, TooLarge
from streaming.intake.bounds import MAX_COMMENT_CHARS
from streaming.intake.client_json import read_body
from streaming.intake.opinion import Opinion
from streaming.intake.owned import locked
from streaming.models import Conversation, Feedback, Generation, MessageTree, Owner, Place, Role, Thumb
from streaming.protocol.storable import storable_text
from streaming.settlement import check_idle


def read_opinion(body: bytes) -> Opinion:
    """Reads a body such as `{"thumb": "up", "comment": "…"}`.

    Raises:
        BadRequest: it is not such JSON.
        TooLarge: the comment is longer than its bound.
    """
    return checked_opinion(read_body(Opinion, body, '{"thumb": "up", "comment": "…"}'))


def checked_opinion(opinion: Opinion) -> Opinion:
    """Returns the opinion with a comment that the database can store.

    Raises:
        TooLarge: the comment is longer than its bound.
    """
    comment = storable_text(opinion.comment).strip()
    if len(comment) > MAX_COMMENT_CHARS:
        told = {"count": len(comment), "limit": MAX_COMMENT_CHARS}
        raise TooLarge(_("The comment has %(count)d characters; at most %(limit)d are accepted.") % told)
    return msgspec.structs.replace(opinion, comment=comment)


@retry_on_deadlock
def keep_opinion(owner: Owner, key: str, message_id: str, opinion: Opinion | None) -> None:
    """Stores the owner's opinion of an answer in place of an older one. None removes it.

    It belongs to the first row of an answer with several rows: clients know the answer by the id of this row. The
    conversation keeps its place in the owner's list.

    Raises:
        Conflict: the answer is being written.
        NotFound: there is no such conversation of the owner's, or no such answer in it.
    """
    with atomic():
        conversation = locked(owner, key)
        answer = _answer(MessageTree.read(conversation), conversation, message_id)
        if opinion is None:
            Feedback.objects.filter(message_id=answer.pk).delete()
        else:
            values = {"thumb": Thumb[opinion.thumb.upper()], "comment": opinion.comment}
            Feedback.objects.update_or_create(message_id=answer.pk, defaults=values)


def _answer(tree: MessageTree[Place], conversation: Conversation, message_id: str) -> Place:
    """Returns the first row of an answer that has ended."""
    answer = tree.find(message_id)
    if answer.role != Role.ASSISTANT:
        raise NotFound(_("There is no such answer in this conversation."))
    first = tree.first_row(answer)
    running = Generation.objects.filter(active_conversation=conversation)
    check_idle(one for one in running if (row := tree.get(one.message_id)) and tree.first_row(row) == first)
    return first
