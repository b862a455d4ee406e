"""The addresses of the chat pages."""

from __future__ import annotations

from urllib.parse import quote

from django.urls import reverse


def page_address(key: str) -> str:
    """The address of a conversation's page, or of an empty one if `key` is empty."""
    return reverse("streaming:conversation", args=(key,)) if key else reverse("streaming:conversation_list")


def message_address(key: str, message_id: str) -> str:
    """The address of a message on its page. The page shows it even if it is older than those with which it opens."""
    named = quote(message_id, safe="")
    return f"{page_address(key)}?from={named}#message-{named}"
