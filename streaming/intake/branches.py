"""The choice of the branch of a conversation that is shown."""

from __future__ import annotations

from streaming.database import atomic, retry_on_deadlock
from streaming.intake.owned import locked
from streaming.models import Conversation, Generation, MessageTree, Owner
from streaming.settlement import check_idle


@retry_on_deadlock
def select_branch(owner: Owner, key: str, message_id: str) -> None:
    """Shows the newest path through a message. The conversation continues from the end of this path.

    Raises:
        Conflict: an answer is being written in this conversation.
        NotFound: there is no such conversation of the owner's, or no such message in it.
    """
    with atomic():
        conversation = locked(owner, key)  # so no answer begins at the same time on another path
        tree = MessageTree.read(conversation)
        leaf = tree.newest_leaf(tree.find(message_id))
        check_idle(Generation.objects.filter(active_conversation=conversation))
        # `save` would set `updated_at` and move the conversation to the top of its owner's list.
        Conversation.objects.filter(pk=conversation.pk).update(active_leaf=leaf.pk)
