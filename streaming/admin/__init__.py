"""The Django admin: staff read, search and review conversations, but change nothing that people and models wrote."""

from __future__ import annotations

from streaming.admin.conversations import ConversationAdmin
from streaming.admin.generations import GenerationAdmin
from streaming.admin.messages import MessageAdmin
from streaming.admin.shares import ShareAdmin
from streaming.admin.side_calls import SideCallAdmin, SummaryAdmin
from streaming.admin.staff_access import StaffAccessAdmin

__all__ = [
    "ConversationAdmin",
    "GenerationAdmin",
    "MessageAdmin",
    "ShareAdmin",
    "SideCallAdmin",
    "StaffAccessAdmin",
    "SummaryAdmin",
]
