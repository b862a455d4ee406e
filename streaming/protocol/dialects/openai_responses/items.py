"""The output items of an OpenAI response: one class for each way in which they stream.

Streamed text comes first. Of the whole text in a `done` event or item, only that counts which did not stream: some
servers send all words only there, or the last ones.
"""

from __future__ import annotations

from typing import Any, Protocol

from streaming.protocol.dialects.answer import AnswerWriter
from streaming.protocol.dialects.openai_responses.call_items import (
    BuiltInItem,
    CallItem,
    CodeItem,
    CustomCallItem,
    McpCallItem,
    id_of,
)
from streaming.protocol.dialects.openai_responses.message_item import MessageItem
from streaming.protocol.dialects.openai_responses.reasoning_item import ReasoningItem
from streaming.protocol.dialects.wire import data_url
from streaming.protocol.events import FileReceived, OpaqueReceived

JSONObject = dict[str, Any]


class Item(Protocol):
    """One item, from `output_item.added` to `output_item.done`. `wire` is empty if its first delta opened it."""

    def __init__(self, writer: AnswerWriter, wire: JSONObject) -> None: ...

    def announce(self, wire: JSONObject) -> None:
        """Reads `output_item.added` if it comes after the first delta."""

    def done(self, wire: JSONObject) -> None:
        """Ends the item; `wire` is the whole of it. Called once."""

    def cut(self) -> None:
        """Ends the item, because the answer has ended before `output_item.done`."""

    def may_be(self, wire: JSONObject) -> bool:
        """Returns True if an item or event, whose index and id are those of no item, may be this one's.

        It is the only open one of its class.
        """


class WholeItem:
    """An item that is read only when it is done."""

    def __init__(self, writer: AnswerWriter, wire: JSONObject) -> None:
        self._writer = writer

    def announce(self, wire: JSONObject) -> None:
        """Does nothing: such an item has no deltas."""

    def cut(self) -> None:
        """Does nothing: it is not known what the item would have been."""

    def may_be(self, wire: JSONObject) -> bool:
        """Returns False: the end of such an item stands for itself."""
        return False


class ResultItem(WholeItem):
    """The result of a tool that the provider executed itself."""

    outputs = ("output", "tools", "result")

    def done(self, wire: JSONObject) -> None:
        output = next((wire[key] for key in self.outputs if key in wire), None)
        self._writer.add_result(id_of(wire), output, raw=wire)


class ImageItem(WholeItem):
    """An image that the provider made."""

    def done(self, wire: JSONObject) -> None:
        if isinstance(wire.get("result"), str):
            media_type = f"image/{wire.get('output_format') or 'png'}"
            url = data_url(media_type, wire["result"])
            raw = {key: value for key, value in wire.items() if key != "result"}
            self._writer.emit(FileReceived(self._writer.new_part(), media_type, url, raw=raw))
        else:
            self._writer.emit(OpaqueReceived(self._writer.new_part(), wire))


class OpaqueItem(WholeItem):
    """Any other item. It is kept whole for the next turn."""

    def done(self, wire: JSONObject) -> None:
        self._writer.silent_parts += 1
        self._writer.emit(OpaqueReceived(self._writer.new_part(), wire))


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
