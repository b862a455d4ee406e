"""The class of each type of output item."""

from __future__ import annotations

from streaming.protocol.dialects.openai_responses.items.call_items import BuiltInItem, CallItem, CodeItem, McpCallItem
from streaming.protocol.dialects.openai_responses.items.custom_call_item import CustomCallItem
from streaming.protocol.dialects.openai_responses.items.item import Item, JSONObject
from streaming.protocol.dialects.openai_responses.items.message_item import MessageItem
from streaming.protocol.dialects.openai_responses.items.reasoning_item import ReasoningItem
from streaming.protocol.dialects.openai_responses.items.whole_items import ImageItem, OpaqueItem, ResultItem

ITEMS: dict[str, type[Item]] = {
    "message": MessageItem,
    "reasoning": ReasoningItem,
    "function_call": CallItem,
    "custom_tool_call": CustomCallItem,
    "mcp_call": McpCallItem,
    "code_interpreter_call": CodeItem,
    "image_generation_call": ImageItem,
    **dict.fromkeys(
        (
            "web_search_call",
            "file_search_call",
            "computer_call",
            "local_shell_call",
            "shell_call",
            "apply_patch_call",
            "tool_search_call",
        ),
        BuiltInItem,
    ),
    **dict.fromkeys(
        (
            "function_call_output",
            "custom_tool_call_output",
            "computer_call_output",
            "local_shell_call_output",
            "shell_call_output",
            "apply_patch_call_output",
            "tool_search_output",
        ),
        ResultItem,
    ),
}
"""The class of each type of item. All others are `OpaqueItem`."""


def class_of(wire: JSONObject) -> type[Item]:
    return ITEMS.get(str(wire.get("type")), OpaqueItem)
