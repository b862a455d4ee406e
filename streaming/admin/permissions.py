"""The permissions of staff. Each permission is Django's, so groups and the admin's own pages grant it.

Content is what people and models wrote: titles, texts, tool calls, files, system prompts. `may_read` is the one
question about it, wherever content is shown, searched, filtered or sorted.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from django.http import HttpRequest


class May(StrEnum):
    """The permissions beside Django's `view` permissions of conversations, generations and staff accesses."""

    READ = "streaming.view_message"
    READ_REASONING = "streaming.view_reasoning"
    SEE_RAW = "streaming.view_raw_events"
    SEE_ERRORS = "streaming.view_generation"
    REVIEW = "streaming.review_message"
    EXPORT = "streaming.export_conversation"
    STOP = "streaming.stop_generation"


CONTENT_FIELDS = {
    **dict.fromkeys(("title", "text", "system_prompt", "client_id", "tool_names"), (May.READ,)),
    "parts": (May.READ, May.READ_REASONING, May.SEE_RAW),
}
"""The columns that hold content, in all models, and what staff need to see all of one."""


class Staff:
    """The member of the staff who asks. Admin classes put it on the rows that they show, as `staff`."""

    reads_reasoning = False
    sees_unredacted = False

    def __init__(self, request: HttpRequest) -> None:
        self.request = request
        self.user: Any = request.user

    def may(self, *permissions: May) -> bool:
        """Returns True for staff who have all of the permissions."""
        return bool(self.user.has_perms(permissions))


def may_read(request: HttpRequest) -> bool:
    """Returns True for staff who may read what people and models wrote."""
    return Staff(request).may(May.READ)


def needed_for(lookup: str) -> set[May]:
    """Returns what staff need for a lookup such as `title__startswith`, whose result tells something about content."""
    return {may for name in lookup.split("__") for may in CONTENT_FIELDS.get(name, ())}
