"""Conversations, messages and generations in the Django admin. Staff can read and search them but not change them."""

from __future__ import annotations

from streaming.admin.conversations import ConversationAdmin
from streaming.admin.generations import GenerationAdmin
from streaming.admin.messages import MessageAdmin

__all__ = ["ConversationAdmin", "GenerationAdmin", "MessageAdmin"]
