"""The tables of an archive. A further model is one more entry of `TABLES`.

An archive has a line for each row. The rows of a conversation stand together, table by table, in the order of `TABLES`;
a row may refer to rows that stand before it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import msgspec
from django.db.models import Model

from streaming.archive.errors import BadLine
from streaming.archive.group import Group
from streaming.archive.stored_files import checked, content_of, store
from streaming.models import (
    ACTIVE,
    Attachment,
    Conversation,
    Feedback,
    Generation,
    Message,
    Metered,
    Owner,
    Review,
    SideCall,
    Status,
    Summary,
)
from streaming.protocol import load_parts

MEDIA_TYPE = re.compile(r"[\w!#$&^.+-]+/[\w!#$&^.+-]+|", re.ASCII)
"""The characters of RFC 6838, which a header can have. Rows that a site's code has made may have no media type."""

Row = dict[str, Any]
"""One row as it stands in an archive: column → JSON value."""


class Table(NamedTuple):
    """A model in an archive.

    `conversation` is the column that leads to the row's conversation. `left_out` are columns that are not archived.
    `later` are columns that refer to rows which stand further down. `in_order` sorts a conversation's rows. `dumped`
    completes the archived form of a row. `loaded` completes a row before it is stored, and takes from the archived form
    what is not a column.
    """

    name: str
    model: type[Model]
    conversation: str = "conversation"
    left_out: frozenset[str] = frozenset()
    later: frozenset[str] = frozenset()
    in_order: Callable[[list[Any]], Iterable[Any]] = list
    dumped: Callable[[Any, Row], None] = lambda row, archived: None
    loaded: Callable[[Any, Row, Group], None] = lambda row, archived, group: None


def _dumped_conversation(conversation: Conversation, archived: Row) -> None:
    """Leaves the owner of a user's conversation out: on another site the user has another number."""
    if conversation.user_id is not None:
        archived["owner_key"] = None


def _loaded_conversation(conversation: Conversation, archived: Row, group: Group) -> None:
    if conversation.user_id is not None:
        conversation.owner_key = Owner.of_user(conversation.user_id).key
    elif not conversation.owner_key or Owner(conversation.owner_key).is_user:
        raise BadLine("'owner_key' must name a visitor if there is no 'user'.")


def _parents_first(messages: list[Message]) -> list[Message]:
    """Sorts messages by their depth in the tree. MySQL refuses a reply that is stored before its parent."""
    parents = {message.pk: message.parent_id for message in messages}
    depths: dict[Any, int] = {None: 0}
    for message in messages:
        path: list[Any] = []
        current: Any = message.pk
        while current not in depths:
            path.append(current)
            current = parents.get(current)
        for depth, pk in enumerate(reversed(path), depths[current] + 1):
            depths[pk] = depth
    return sorted(messages, key=lambda message: (depths[message.pk], message.created_at, message.pk))


def _loaded_message(message: Message, archived: Row, group: Group) -> None:
    try:
        load_parts(message.parts)
    except msgspec.ValidationError as error:
        raise BadLine(f"'parts' are not those of a message: {error}.") from error


def _dumped_call(row: Metered, archived: Row) -> None:
    """Archives a request to a model that is under way as interrupted: nobody ends it on another site."""
    if row.status in ACTIVE:
        archived["status"] = Status.INTERRUPTED.value
        if "error_code" in archived:
            archived["error_code"] = "interrupted"


def _loaded_generation(generation: Generation, archived: Row, group: Group) -> None:
    if generation.is_active:
        raise BadLine(f"'status' cannot be {generation.status!r}: no process writes this answer.")


def _loaded_call(row: Metered, archived: Row, group: Group) -> None:
    """Ends a call that an older archive has as pending."""
    if row.status in ACTIVE:
        row.status = Status.INTERRUPTED


def _loaded_attachment(attachment: Attachment, archived: Row, group: Group) -> None:
    if not MEDIA_TYPE.fullmatch(str(attachment.media_type)):
        raise BadLine(f"'media_type' is no media type: {attachment.media_type!r}.")
    attachment.owner_key = group.conversation.owner_key
    name, data = str(attachment.file.name), checked(archived.pop("content", None), attachment)
    if name not in group.files:  # an edited message has the same files as the one that it replaces
        group.files[name] = store(name, data)
    attachment.file = group.files[name]


TABLES = (
    Table(
        "conversation",
        Conversation,
        "pk",
        later=frozenset({"active_leaf"}),
        dumped=_dumped_conversation,
        loaded=_loaded_conversation,
    ),
    Table("message", Message, in_order=_parents_first, loaded=_loaded_message),
    Table(
        "generation",
        Generation,
        left_out=frozenset({"active_conversation", "worker", "lease_until", "watched_at"}),
        dumped=_dumped_call,
        loaded=_loaded_generation,
    ),
    Table("summary", Summary, dumped=_dumped_call, loaded=_loaded_call),
    Table("side_call", SideCall, dumped=_dumped_call, loaded=_loaded_call),
    Table(
        "attachment",
        Attachment,
        left_out=frozenset({"owner_key"}),
        dumped=lambda attachment, archived: archived.update(content=content_of(attachment)),
        loaded=_loaded_attachment,
    ),
    Table("review", Review, "message__conversation"),
    Table("feedback", Feedback, "message__conversation"),
)
