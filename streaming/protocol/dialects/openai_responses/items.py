"""The output items of an OpenAI response: one class for each way in which they stream.

Streamed text comes first. The whole text in a `done` event or item counts only if nothing streamed, because some
servers send the text only there.
"""

from __future__ import annotations

from typing import Any, Protocol

from streaming.protocol.dialects.answer import AnswerWriter, Prose
from streaming.protocol.dialects.openai_responses.call_items import (
    BuiltInItem,
    CallItem,
    CodeItem,
    CustomCallItem,
    McpCallItem,
    id_of,
)
from streaming.protocol.dialects.wire import data_url
from streaming.protocol.events import Cited, FileReceived, OpaqueReceived

JSONObject = dict[str, Any]


class Item(Protocol):
    """One item, from `output_item.added` to `output_item.done`. `wire` is empty if its first delta opened it."""

    def __init__(self, writer: AnswerWriter, wire: JSONObject) -> None: ...

    def done(self, wire: JSONObject) -> None:
        """Ends the item; `wire` is the whole of it. Called once."""


class MessageItem:
    """Text and refusals with their annotations: one part for each content index."""

    def __init__(self, writer: AnswerWriter, wire: JSONObject) -> None:
        self._writer = writer
        self._wire = wire
        self._proses: dict[int | None, Prose] = {}
        self._has_cited = False
        self._filled = 0

    def done(self, wire: JSONObject) -> None:
        content = wire.get("content")
        parts = [part for part in (content if isinstance(content, list) else []) if isinstance(part, dict)]
        if not self._proses:  # else it streamed, perhaps under other indexes than these
            for index, part in enumerate(parts):
                self._fill(index, part)
        if not self._has_cited:
            for prose, part in zip(self._proses.values(), parts, strict=False):
                self._cite(prose, part.get("annotations"))
        for prose in self._proses.values():
            prose.end(_shell(wire))

    def grow_text(self, payload: Any) -> None:
        delta = payload.delta
        if type(delta) is str and delta:
            prose = self._proses.get(payload.content_index) or self._open(payload.content_index)
            prose.write(delta)

    def grow_refusal(self, payload: Any) -> None:
        if isinstance(payload.delta, str) and payload.delta:
            self._open(payload.content_index).refusal(payload.delta)

    def end_part(self, payload: Any) -> None:
        """Reads a whole part. It counts only if nothing of the item streamed, because indexes may differ."""
        if len(self._proses) == self._filled:
            self._fill(payload.content_index, payload.part if isinstance(payload.part, dict) else {})
        self._end(payload.content_index)

    def end_text(self, payload: Any) -> None:
        self._fill(payload.content_index, {"type": "output_text", "text": payload.text})
        self._end(payload.content_index)

    def end_refusal(self, payload: Any) -> None:
        self._fill(payload.content_index, {"type": "refusal", "refusal": payload.refusal})
        self._end(payload.content_index)

    def annotate(self, payload: Any) -> None:
        self._cite(self._open(payload.content_index), [payload.annotation])

    def _cite(self, prose: Prose, annotations: Any) -> None:
        for annotation in annotations if isinstance(annotations, list) else []:
            if isinstance(annotation, dict):
                self._has_cited = True
                self._writer.emit(Cited(prose.place(), annotation))

    def _open(self, index: int | None) -> Prose:
        if index not in self._proses:
            self._proses[index] = Prose(self._writer)
        return self._proses[index]

    def _end(self, index: int | None) -> None:
        """Ends a part, if it is known what goes back with it. Otherwise the end of the item ends it."""
        if index in self._proses and (raw := _shell(self._wire | {"status": "completed"})):
            self._proses[index].end(raw)

    def _fill(self, index: int | None, part: JSONObject) -> None:
        """Takes a whole content part if nothing of it streamed. A part without an index is the one that streamed."""
        if index in self._proses or (self._proses and (index is None or None in self._proses)):
            return
        if isinstance(part.get("refusal"), str) and part["refusal"]:
            self._filled += 1
            self._open(index).refusal(part["refusal"])
        elif isinstance(part.get("text"), str) and part["text"]:
            self._filled += 1
            self._open(index).write(part["text"])


def _shell(wire: JSONObject) -> JSONObject | None:
    """Returns what goes back with the text of a message. Without its id, the API refuses the reasoning before it."""
    if not isinstance(wire.get("id"), str):
        return None
    return {"type": "message"} | {key: wire[key] for key in ("id", "status", "phase") if isinstance(wire.get(key), str)}


class ReasoningItem:
    """Reasoning: one part for the whole item, because the item goes back whole on the next turn.

    A server may send the thoughts, a summary, or the same text as both. Only the kind that comes first is taken.
    Its sections (summary or content indexes) are separated by an empty line.
    """

    def __init__(self, writer: AnswerWriter, wire: JSONObject) -> None:
        self._prose = Prose(writer)
        self._source = ""
        self._section: int | None = None

    def done(self, wire: JSONObject) -> None:
        for source in ("summary", "content"):
            sections = wire.get(source)
            for index, section in enumerate(sections if isinstance(sections, list) else []):
                self._fill(source, index, section.get("text") if isinstance(section, dict) else None)
        if wire:
            self._prose.sign(raw=wire)
        self._prose.end()

    def grow_summary(self, payload: Any) -> None:
        self._grow("summary", payload.summary_index, payload.delta)

    def grow_content(self, payload: Any) -> None:
        self._grow("content", payload.content_index, payload.delta)

    def end_summary(self, payload: Any) -> None:
        self._fill("summary", payload.summary_index, payload.text)

    def end_content(self, payload: Any) -> None:
        self._fill("content", payload.content_index, payload.text)

    def _grow(self, source: str, section: int | None, text: Any) -> None:
        if not isinstance(text, str) or not text or self._source not in ("", source):
            return
        if self._source and section != self._section:
            self._prose.reasoning("\n\n")
        self._source = source
        self._section = section
        self._prose.reasoning(text)

    def _fill(self, source: str, section: int | None, text: Any) -> None:
        if not self._source or (self._source == source and (section or 0) > (self._section or 0)):
            self._grow(source, section, text)


class ResultItem:
    """The result of a tool that the provider executed itself."""

    outputs = ("output", "tools", "result")

    def __init__(self, writer: AnswerWriter, wire: JSONObject) -> None:
        self._writer = writer

    def done(self, wire: JSONObject) -> None:
        output = next((wire[key] for key in self.outputs if key in wire), None)
        self._writer.add_result(id_of(wire), output, raw=wire)


class ImageItem:
    """An image that the provider made."""

    def __init__(self, writer: AnswerWriter, wire: JSONObject) -> None:
        self._writer = writer

    def done(self, wire: JSONObject) -> None:
        if isinstance(wire.get("result"), str):
            media_type = f"image/{wire.get('output_format') or 'png'}"
            url = data_url(media_type, wire["result"])
            raw = {key: value for key, value in wire.items() if key != "result"}
            self._writer.emit(FileReceived(self._writer.new_part(), media_type, url, raw=raw))
        else:
            self._writer.emit(OpaqueReceived(self._writer.new_part(), wire))


class OpaqueItem:
    """Any other item. It is kept whole for the next turn."""

    def __init__(self, writer: AnswerWriter, wire: JSONObject) -> None:
        self._writer = writer

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
