"""The rows: conversations, their messages, the generations that wrote them, attachments, and each generation's journal.

Queries are words of the QuerySets, transitions are verbs. `path_of` and its neighbours read a conversation's path in
order; `MessageTree` knows its branches.
"""

from __future__ import annotations

from streaming.models.attachments import Attachment
from streaming.models.branches import Branch, MessageTree
from streaming.models.conversations import Conversation, title_from
from streaming.models.generations import ACTIVE, Generation, GenerationQuerySet, Status, from_now
from streaming.models.history import contributions, earlier_rows, parts_of, path_of, turns_of
from streaming.models.journal_entries import JournalEntry
from streaming.models.messages import Message, Role
from streaming.models.owners import Owner
from streaming.models.storable import storable

__all__ = [
    "ACTIVE",
    "Attachment",
    "Branch",
    "Conversation",
    "Generation",
    "GenerationQuerySet",
    "JournalEntry",
    "Message",
    "MessageTree",
    "Owner",
    "Role",
    "Status",
    "contributions",
    "earlier_rows",
    "from_now",
    "parts_of",
    "path_of",
    "storable",
    "title_from",
    "turns_of",
]
