"""Conversations in the Django admin: to be read and searched, not written."""

from __future__ import annotations

from streaming.admin.conversations import ConversationAdmin
from streaming.admin.generations import GenerationAdmin
from streaming.admin.messages import MessageAdmin

__all__ = ["ConversationAdmin", "GenerationAdmin", "MessageAdmin"]
