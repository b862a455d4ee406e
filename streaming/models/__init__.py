"""The database rows: conversations, their messages, generations and files, and the log of what staff saw.

Queries and changes of many rows are methods of the QuerySets. `path_of`, `contributions` and `turns_of` read the shown
path of a conversation in order; `MessageTree` finds its branches, and `ShownPath` reads a window of a long one.
"""

from __future__ import annotations

from streaming.models.attachments import MAX_FILE_NAME_CHARS, Attachment
from streaming.models.branches import Branch, MessageTree
from streaming.models.clock import from_now, iso_time, site_time
from streaming.models.conversations import MAX_ID_CHARS, MAX_TITLE_CHARS, Conversation, ConversationQuerySet, title_from
from streaming.models.deletions import METERED, receive_deletions
from streaming.models.feedback import Feedback, Thumb
from streaming.models.generations import ACTIVE, MAX_RAW_REASON_CHARS, TRANSITIONS, Generation, GenerationQuerySet
from streaming.models.history import History, asked_provider, contributions, earlier_rows, parts_of, path_of, turns_of
from streaming.models.journal_entries import JournalEntry
from streaming.models.ledger import LedgerEntry
from streaming.models.messages import Message, Place, Role, stored_content
from streaming.models.metered import COUNTS, FAILURES, MAX_MODEL_CHARS, Metered, Status
from streaming.models.name_lists import listed
from streaming.models.owners import Owner, OwnerKind
from streaming.models.reviews import RATINGS, Review
from streaming.models.revoked_links import RevokedLink
from streaming.models.shares import Share
from streaming.models.side_calls import SideCall
from streaming.models.staff_access import Action, StaffAccess
from streaming.models.summaries import Summary
from streaming.models.windows import ShownPath, Window

__all__ = [
    "ACTIVE",
    "COUNTS",
    "FAILURES",
    "MAX_FILE_NAME_CHARS",
    "MAX_ID_CHARS",
    "MAX_MODEL_CHARS",
    "MAX_RAW_REASON_CHARS",
    "MAX_TITLE_CHARS",
    "METERED",
    "RATINGS",
    "TRANSITIONS",
    "Action",
    "Attachment",
    "Branch",
    "Conversation",
    "ConversationQuerySet",
    "Feedback",
    "Generation",
    "GenerationQuerySet",
    "History",
    "JournalEntry",
    "LedgerEntry",
    "Message",
    "MessageTree",
    "Metered",
    "Owner",
    "OwnerKind",
    "Place",
    "Review",
    "RevokedLink",
    "Role",
    "Share",
    "ShownPath",
    "SideCall",
    "StaffAccess",
    "Status",
    "Summary",
    "Thumb",
    "Window",
    "asked_provider",
    "contributions",
    "earlier_rows",
    "from_now",
    "iso_time",
    "listed",
    "parts_of",
    "path_of",
    "receive_deletions",
    "site_time",
    "stored_content",
    "title_from",
    "turns_of",
]
