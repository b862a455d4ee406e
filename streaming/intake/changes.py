"""The changes that an owner makes to a conversation as a whole: another title, pinned or not, deleted."""

from __future__ import annotations

import msgspec
from django.utils.translation import gettext as _
from msgspec import UNSET, UnsetType

from streaming.database import atomic, retry_on_deadlock
from streaming.errors import BadRequest, NotFound
from streaming.intake.client_json import read_body
from streaming.intake.owned import UNKNOWN_CONVERSATION, locked
from streaming.models import MAX_TITLE_CHARS, Conversation, Generation, Owner
from streaming.protocol.storable import storable_text
from streaming.settlement import check_idle


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """The new values. What is not set stays as it is. Other keys are ignored."""

    title: str | UnsetType = UNSET
    pinned: bool | UnsetType = UNSET


def read_changes(body: bytes) -> Changes:
    """Reads a body such as `{"title": "…", "pinned": true}`.

    Raises:
        BadRequest: it is not such JSON, or the title is empty or too long.
    """
    return checked_changes(read_body(Changes, body, '{"title": "…", "pinned": true}'))


def checked_changes(changes: Changes) -> Changes:
    """Returns the changes with a title of one line.

    Raises:
        BadRequest: the title is empty or too long.
    """
    if changes.title is UNSET:
        return changes
    title = " ".join(storable_text(changes.title).split())
    if not 0 < len(title) <= MAX_TITLE_CHARS:
        raise BadRequest(_("A title has 1 to %(limit)d characters.") % {"limit": MAX_TITLE_CHARS})
    return msgspec.structs.replace(changes, title=title)


def store_changes(owner: Owner, key: str, changes: Changes) -> None:
    """Stores the changes. The conversation keeps its place in the owner's list.

    Raises:
        NotFound: there is no such conversation of the owner's.
    """
    values = msgspec.structs.asdict(changes)
    given = {name: value for name, value in values.items() if value is not UNSET}
    found = Conversation.objects.owned_by(owner).filter(key=key)
    if not (found.update(**given) if given else found.exists()):  # `save` would set `updated_at`
        raise NotFound(UNKNOWN_CONVERSATION)


@retry_on_deadlock
def delete_idle(owner: Owner, key: str) -> None:
    """Deletes a conversation in which nothing is being written, with its messages and files.

    A site's own code deletes in any case, with `streaming.chat.delete_conversations`.

    Raises:
        Conflict: an answer is being written in it.
        NotFound: there is no such conversation of the owner's.
    """
    with atomic():
        found = locked(owner, key)
        check_idle(Generation.objects.filter(active_conversation=found))
        found.delete()
