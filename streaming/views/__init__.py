"""The HTTP views. Each one reads the request, checks who asks, calls the engine and encodes the result.

Four decorators do what views have in common: `endpoint` for the JSON and streaming endpoints of an owner, `for_owner`
(in `pages`) for an owner's pages, `by_link` (in `shared`) for what is behind a shared link, and `unowned` for what
operators ask. `sse` makes a subscription into a response, and `shown` makes the values for the templates.

A site streams an answer from a view of its own with `stream_answer`, and answers with an object by `object_view`.
"""

from __future__ import annotations

from streaming.views.agui import agui_patterns
from streaming.views.chat import chat_patterns
from streaming.views.conversations import conversation_patterns
from streaming.views.deletion import deletion_patterns
from streaming.views.endpoint import database_refusals, outside_transactions, refusal
from streaming.views.feedback import feedback_patterns
from streaming.views.files import accepted_files, file_patterns
from streaming.views.health import health_patterns
from streaming.views.listing import listing_patterns
from streaming.views.objects import object_view
from streaming.views.pages import page_patterns
from streaming.views.probe import probe_patterns
from streaming.views.shared import shared_patterns
from streaming.views.shares import share_patterns
from streaming.views.shown import BLANK_MESSAGES, BLANK_PARTS, ShownMessage, script_texts
from streaming.views.sse import stream_answer
from streaming.views.unavailable import unavailable_page
from streaming.views.window import ShownWindow, newest_messages, shown_messages

__all__ = [
    "BLANK_MESSAGES",
    "BLANK_PARTS",
    "ShownMessage",
    "ShownWindow",
    "accepted_files",
    "agui_patterns",
    "chat_patterns",
    "conversation_patterns",
    "database_refusals",
    "deletion_patterns",
    "feedback_patterns",
    "file_patterns",
    "health_patterns",
    "listing_patterns",
    "newest_messages",
    "object_view",
    "outside_transactions",
    "page_patterns",
    "probe_patterns",
    "refusal",
    "script_texts",
    "share_patterns",
    "shared_patterns",
    "shown_messages",
    "stream_answer",
    "unavailable_page",
]
