"""The output items of an OpenAI response: one class for each way in which they stream.

Streamed text comes first. Of the whole text in a `done` event or item, only that counts which did not stream: some
servers send all words only there, or the last ones.
"""

from __future__ import annotations

from streaming.protocol.dialects.openai_responses.items.call_items import CallItem, CodeItem, McpCallItem
from streaming.protocol.dialects.openai_responses.items.custom_call_item import CustomCallItem
from streaming.protocol.dialects.openai_responses.items.item import Item, id_of
from streaming.protocol.dialects.openai_responses.items.item_types import ITEMS, class_of
from streaming.protocol.dialects.openai_responses.items.message_item import MessageItem
from streaming.protocol.dialects.openai_responses.items.reasoning_item import ReasoningItem
from streaming.protocol.dialects.openai_responses.items.streamed import words_of
from streaming.protocol.dialects.openai_responses.items.whole_items import ResultItem

__all__ = [
    "ITEMS",
    "CallItem",
    "CodeItem",
    "CustomCallItem",
    "Item",
    "McpCallItem",
    "MessageItem",
    "ReasoningItem",
    "ResultItem",
    "class_of",
    "id_of",
    "words_of",
]
