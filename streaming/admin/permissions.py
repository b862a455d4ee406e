"""What staff may do. Each permission is Django's, so groups and the admin's own pages grant it.

Content is what people and models wrote: titles, texts, tool calls, files, system prompts. `may_read` is the one
question about it, wherever content is shown, searched, filtered or sorted.
"""

from __future__ import annotations

from django.http import HttpRequest

CONTENT = "streaming.view_message"
CONTENT_FIELDS = frozenset({"title", "text", "parts", "system_prompt", "client_id"})
"""The columns that hold content, in all models."""


def may_read(request: HttpRequest) -> bool:
    """Returns True for staff who may read what people and models wrote."""
    return request.user.has_perm(CONTENT)


def reveals_content(lookup: str) -> bool:
    """Returns True for a lookup such as `title__startswith`, whose result tells something about content."""
    return not CONTENT_FIELDS.isdisjoint(lookup.split("__"))
