"""A submission: what an owner asks for. It is the same for all clients."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import msgspec

from streaming.errors import BadRequest
from streaming.protocol import FilePart, ToolApproval, ToolResult
from streaming.protocol.storable import storable, storable_fields

Trigger = Literal["submit-message", "regenerate-message"]
ToolAnswer = ToolResult | ToolApproval
"""A client's answer to a tool call: the output, or a person's decision."""


def _storable(submission: Submission) -> Iterator[tuple[str, Any]]:
    """Yields the fields of a submission as every database can hold them."""
    for name in ("key", "prompt", "client_id", "provider", "message_id"):
        yield name, storable(getattr(submission, name))
    for name in ("files", "answers"):
        yield name, tuple(map(storable_fields, getattr(submission, name)))


class Submission(msgspec.Struct, frozen=True, kw_only=True):
    """A request in one conversation: a new message, an edit, a regeneration, or answers to tool calls.

    `key` is the conversation's id for its owner. `client_id` is the client's id of the new message. `message_id` names
    the user message that this one replaces (an edit), or the answer to generate again. With the trigger
    "regenerate-message", `prompt` and `client_id` are those of the client's last message, in case the server has never
    received it. If there are `answers`, there is no new message, and the answer `message_id` continues. `files` may
    have any URL; `streaming.files.kept` makes attachments of them. What no database can hold is replaced in all texts.

    Raises:
        BadRequest: the key cannot be part of an address.
    """

    key: str
    prompt: str = ""
    files: tuple[FilePart, ...] = ()
    client_id: str | None = None
    provider: str | None = None
    trigger: Trigger = "submit-message"
    message_id: str | None = None
    answers: tuple[ToolAnswer, ...] = ()

    @property
    def is_empty(self) -> bool:
        """True without text and files."""
        return not (self.prompt.strip() or self.files)

    @property
    def subject(self) -> str:
        """The text that names a new conversation."""
        return self.prompt if self.prompt.strip() or not self.files else self.files[0].filename or ""

    def __post_init__(self) -> None:
        for name, value in _storable(self):
            msgspec.structs.force_setattr(self, name, value)
        # The key is one segment of the conversation's address.
        if "/" in self.key or self.key in (".", ".."):
            raise BadRequest("'id' must not hold a slash, or be '.' or '..'.")
