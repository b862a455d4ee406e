"""Reads the deltas of one choice of a chat completion."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from streaming.protocol.dialects.answer import AnswerWriter, Prose, meaning_of, read_usage
from streaming.protocol.dialects.openai_chat.calls import ToolCalls
from streaming.protocol.dialects.openai_chat.citations import SOURCES, Citations
from streaming.protocol.dialects.openai_chat.delta import APART, CALLS, KINDS, NUMBERS, THINKING, normal, words_of
from streaming.protocol.dialects.openai_chat.ending import Ending, reason_in
from streaming.protocol.dialects.openai_chat.images import Images
from streaming.protocol.dialects.openai_chat.words import MARKS, THOUGHT_FLAG, Content, Reasoning, is_marked
from streaming.protocol.dialects.wire import object_of, read_error, reports_error
from streaming.protocol.events import FinishReason

JSONObject = dict[str, Any]


class Choice:
    """One choice and its parts while they grow."""

    def __init__(self, writer: AnswerWriter, index: int) -> None:
        self.ending = Ending()
        self._writer = writer
        self._prose = Prose(writer, index, before_close=self._settle, think=self._think_in_tags)
        self._reasoning = Reasoning(writer, self._prose)
        is_gemini = "gemini" in (writer.model or "").lower()
        self.content = Content(self._prose, self._reasoning, may_begin_with_tag=is_gemini)
        self._calls = ToolCalls(writer, index)
        self.citations = Citations(writer, self._prose, index)
        self._images = Images(writer, self._prose, index)
        self._reads_messages = False

    @property
    def kinds(self) -> set[str]:
        """The kinds of words so far: `reasoning`, `text`, `calls`."""
        said = {"reasoning": self._reasoning.words.size, "text": self.content, "calls": self._calls}
        return {kind for kind, words in said.items() if words}

    @property
    def awaits_calls(self) -> bool:
        """True if the finish reason says that there are calls, but none have come."""
        return meaning_of(self.ending.reason) == "tool_calls" and not self._calls

    def read_reason(self, reason: Any, native: Any = None, *, is_bare: bool = False) -> None:
        """Reads a finish reason. `is_bare` is True if it came without words.

        Some servers send one with each chunk (Open WebUI).
        """
        self.ending.read(reason, native)
        if is_bare and reason_in(reason):
            self.content.text.is_late = self._reasoning.words.is_late = True

    @property
    def implied_reason(self) -> FinishReason | None:
        """Our word for the end if the server sent none: complete calls wait for their results."""
        return "tool_calls" if self.ending.word is None and self._calls.are_complete else None

    def finish(self) -> None:
        """Forgets words that the server sent a second time as its last chunk."""
        self.content.finish()
        self._reasoning.words.drop()

    def read(self, delta: JSONObject) -> None:
        """Reads `choices[].delta`, or the `message` of a completion that was not streamed.

        If one delta has several fields, reasoning comes before text, and text before tool calls.
        """
        content = delta.get("content")
        if type(content) is not str or not OTHERS.isdisjoint(delta):
            delta = normal(delta)
        if type(content) is str and OTHERS.isdisjoint(delta):
            self.content.text.take(content)
            return
        if not THINKING.isdisjoint(delta):
            self._reasoning.read(delta)
            if self.content.takes_echo(delta):
                del delta["content"]
        if not MARKS.isdisjoint(delta) and is_marked(delta):
            self.content.think(words_of(delta.pop("content", None)))
        if "tool_calls" in delta:
            delta.pop("function_call", None)  # it is the same call
        for field in filter(delta.__contains__, FIELDS) if len(delta) > 1 else FIELDS.keys() & delta.keys():
            FIELDS[field](self, delta[field])

    def read_message(self, message: JSONObject, *, has_delta: bool, is_last: bool) -> None:
        """Reads a message that came in the place of a delta, or beside the last one.

        Most servers repeat what streamed. So the last message counts only for text or calls that did not stream.
        """
        kinds = self.kinds
        if not has_delta and (self._reads_messages or not kinds):
            self._reads_messages = True
            self.read(message)
        elif is_last:
            missing = {"text", "calls"} - kinds if kinds else {"reasoning", "text", "calls"}
            self.read({field: value for field, value in normal(message).items() if KINDS.get(field) in missing})
            self._calls.complete(message.get("tool_calls"))

    def _settle(self) -> None:
        """Writes what is held back into the part that is about to end."""
        self.content.settle()
        self._reasoning.settle()

    def _think_in_tags(self, text: str) -> None:
        self._reasoning.read_tagged(text)

    def _read_content(self, content: Any) -> None:
        for item in content if isinstance(content, list) else [content]:
            CONTENT.get(_type_of(item), Choice._read_unknown)(self, item)

    def _read_text(self, item: Any) -> None:
        if text := words_of(item):
            self.content.text.take(text)
        for field in CITATIONS if isinstance(item, dict) else ():
            self.citations.read(item.get(field))

    def _read_audio(self, audio: Any) -> None:
        """Reads the transcript. The sound itself is not read."""
        transcript = audio.get("transcript") if isinstance(audio, dict) else None
        if text := words_of(transcript):
            self.content.text.take(text)
        else:
            self._read_unknown(audio)

    def _read_unknown(self, wire: Any) -> None:
        self._writer.unknown(msgspec.json.encode(wire))

    def _read_refusal(self, refusal: Any) -> None:
        """Reads the text of a refusal, or a content item that is one."""
        refusal = refusal.get("refusal") if isinstance(refusal, dict) else refusal
        if isinstance(refusal, str) and refusal:
            self._prose.refusal(refusal)

    def _read_usage(self, usage: Any) -> None:
        self._writer.report_usage(read_usage(usage))

    def _read_error(self, error: Any) -> None:
        if reports_error(error):
            self.ending.failure = read_error(error)

    def _read_tool_calls(self, wire: Any) -> None:
        fragments = self._calls.fragments_of(wire)
        telling = [fragment for fragment in fragments if not fragment.is_blank]
        if telling:
            if self._calls:
                self.content.text.drop()  # text, calls, and all of it once more
            self._prose.end()
        self._calls.take(fragments)

    def _read_old_call(self, function: Any) -> None:
        """Reads a call of the API before tools: it has no index and no id."""
        self._read_tool_calls({"index": "function_call", "function": function})

    def _read_extra(self, extra: Any) -> None:
        """Reads Gemini's thought signature, which it wants back. It may come in a delta of its own."""
        if extra != THOUGHT_FLAG:
            self._prose.sign(raw={"extra_content": extra})


def _type_of(item: Any) -> str:
    """Returns the type of a content item. A text by itself is one, and so is an object with a text and no type."""
    if type(item) in TEXTS:
        return "text"
    return str(item.get("type", "text" if "text" in item else None)) if isinstance(item, dict) else ""


CITATIONS = ("annotations", "citations")
"""The fields of a content item that have its citations."""

TEXTS = (str, *NUMBERS)
"""The types of content items that are text by themselves."""

CONTENT: dict[str, Callable[[Choice, Any], None]] = {
    **dict.fromkeys(("text", "output_text"), Choice._read_text),
    **dict.fromkeys(("thinking", "reasoning"), lambda choice, item: choice._reasoning.read_item(item)),
    "refusal": Choice._read_refusal,
    **dict.fromkeys(("tool_use", "tool_call", "toolCall", "function", "function_call"), Choice._read_tool_calls),
    **dict.fromkeys(("image_url", "image", "output_image"), lambda choice, item: choice._images.read(item)),
    **dict.fromkeys(("tool_reference", "url_citation"), lambda choice, item: choice.citations.read(item)),  # Mistral
}
"""The reader of each type of content item."""

FIELDS: dict[str, Callable[[Choice, Any], None]] = {
    "reasoning_opaque": lambda choice, opaque: choice._reasoning.read_opaque(opaque),
    "content": Choice._read_content,
    "refusal": Choice._read_refusal,
    "images": lambda choice, images: choice._images.read(images),
    **dict.fromkeys(("annotations", "citation"), lambda choice, wire: choice.citations.read(wire)),
    **dict.fromkeys(SOURCES, lambda choice, wire: choice.citations.read_sources(wire)),
    "context": lambda choice, context: choice.citations.read(object_of(context).get("citations")),  # Azure
    "usage": Choice._read_usage,
    **dict.fromkeys(CALLS, Choice._read_tool_calls),
    "extra_content": Choice._read_extra,
    "audio": Choice._read_audio,
    "finish_reason": lambda choice, reason: choice.read_reason(reason),
    "error": Choice._read_error,
    "function_call": Choice._read_old_call,
}
"""The reader of each field of a delta, in the order of reading."""

OTHERS = frozenset({*FIELDS, *THINKING, *MARKS, APART} - {"content"})
