"""Conversations, their messages, the generations that wrote them, and the journal of each generation."""

from __future__ import annotations

from streaming.models.attachments import Attachment
from streaming.models.conversations import Conversation
from streaming.models.generations import Generation
from streaming.models.journal_entries import JournalEntry
from streaming.models.messages import Message
from streaming.models.owners import Owner

__all__ = ["Attachment", "Conversation", "Generation", "JournalEntry", "Message", "Owner"]
