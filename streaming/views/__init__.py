"""The edges that speak HTTP: parse, authorise, call one verb, encode.

`endpoint` guards the JSON and streaming endpoints in `chat`, `conversations` and `files`; `sse` turns a subscription
into a response; `pages` are the chat pages, and `shown` is what their templates draw. For pages of a site's own, use
`stream_answer`.
"""

from __future__ import annotations

from streaming.views.chat import chat_patterns
from streaming.views.conversations import conversation_patterns
from streaming.views.files import accepted_files, file_patterns
from streaming.views.pages import page_patterns
from streaming.views.shown import BLANK_MESSAGES, BLANK_PARTS, shown_messages, texts
from streaming.views.sse import stream_answer

__all__ = [
    "BLANK_MESSAGES",
    "BLANK_PARTS",
    "accepted_files",
    "chat_patterns",
    "conversation_patterns",
    "file_patterns",
    "page_patterns",
    "shown_messages",
    "stream_answer",
    "texts",
]
