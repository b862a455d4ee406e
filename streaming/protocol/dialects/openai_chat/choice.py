"""Reads the deltas of one choice of a chat completion."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from streaming.protocol.dialects.answer import AnswerWriter, Prose, meaning_of, read_usage
from streaming.protocol.dialects.openai_chat.calls import ToolCalls
from streaming.protocol.dialects.openai_chat.cumulative import CumulativeFilter
from streaming.protocol.dialects.openai_chat.ending import Ending, reason_in
from streaming.protocol.dialects.openai_chat.extras import EXTRA_FIELDS, EXTRA_ITEMS, Extras
from streaming.protocol.dialects.openai_chat.reasoning import FLAGS, Echo, Reasoning, Thoughts, is_flagged, is_thought
from streaming.protocol.dialects.openai_chat.words import (
    CALLS,
    KINDS,
    NUMBERS,
    OWN,
    THINKING,
    thought_of,
    with_numbers_as_text,
    words_of,
)
from streaming.protocol.dialects.wire import object_of, read_error, reports_error
from streaming.protocol.events import FinishReason

JSONObject = dict[str, Any]


class Choice:
    """One choice and its parts while they grow."""

    def __init__(self, writer: AnswerWriter, index: int) -> None:
        self.ending = Ending()
        self._writer = writer
        self._prose = Prose(writer, index, before_close=self._settle, think=self._think_in_tags)
        self.content = CumulativeFilter(self._prose.write)
        """Takes the text."""
        self.reasoning = Reasoning(writer, self._prose)
        self.extras = Extras(writer, self._prose, index)
        self._calls = ToolCalls(writer, index)
        self._thoughts: Thoughts | None = None
        self._reads_messages = False
        self._echo: Echo | None = None
        if "gemini" in (writer.model or "").lower():
            self._thoughts = self._watch(may_open=True)

    @property
    def kinds(self) -> set[str]:
        """The kinds of words so far: `reasoning`, `text`, `calls`."""
        said = {"reasoning": self.reasoning.words.size, "text": self.content.size or self._prose.has_text}
        return {kind for kind, size in (said | {"calls": bool(self._calls)}).items() if size}

    @property
    def awaits_calls(self) -> bool:
        """True if the finish reason says that there are calls, but none have come."""
        return meaning_of(self.ending.reason) == "tool_calls" and not self._calls

    def read_reason(self, reason: Any, native: Any, *, is_bare: bool) -> None:
        """Reads a finish reason. `is_bare` is True if it came without words.

        Some servers send one with each chunk (Open WebUI).
        """
        self.ending.read(reason, native)
        if is_bare and reason_in(reason):
            self.content.is_late = self.reasoning.words.is_late = True

    @property
    def implied_reason(self) -> FinishReason | None:
        """Our word for the end if the server sent none: complete calls wait for their results."""
        return "tool_calls" if self.ending.word is None and self._calls.are_complete else None

    def finish(self) -> None:
        """Forgets text that the server sent a second time as its last chunk. Writes an echo that is the answer."""
        self.content.drop()
        if self._echo is not None and not self._prose.has_text:
            self._echo.flush()
        self.reasoning.words.drop()

    def read(self, delta: JSONObject) -> None:
        """Reads `choices[].delta`, or the `message` of a completion that was not streamed.

        If one delta has several fields, reasoning comes before text, and text before tool calls.
        """
        content = delta.get("content")
        if type(content) is str and (len(delta) == 1 or OTHERS.isdisjoint(delta)):
            self.content.take(content)
            return
        delta = with_numbers_as_text(delta)
        if len(delta) > 1:
            delta = {field: value for field, value in delta.items() if value}
            delta = object_of(delta[OWN]) | delta if OWN in delta else delta
        if not THINKING.isdisjoint(delta):
            self.reasoning.read(delta)
            delta = self._without_echo(delta)
        if not FLAGS.isdisjoint(delta) and is_flagged(delta):
            self._think(words_of(delta.get("content")))
            delta = {field: value for field, value in delta.items() if field != "content"}
        for field in sorted(filter(FIELDS.__contains__, delta), key=ORDER.__getitem__) if len(delta) > 1 else delta:
            if field in FIELDS and delta[field]:
                FIELDS[field](self, delta[field])
        if (old_call := delta.get("function_call")) and not delta.get("tool_calls"):  # else it is the same call
            self._read_tool_calls({"index": "function_call", "function": old_call})  # without index and id

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
            self.read({field: value for field, value in message.items() if KINDS.get(field) in missing})
            self._calls.complete(message.get("tool_calls"))

    def _without_echo(self, delta: JSONObject) -> JSONObject:
        """Leaves out text that came as reasoning in the same delta, as long as no other text has come."""
        content = delta.get("content")
        may_begin = content or (self._echo is None and self.reasoning.mirror is not None)
        if not may_begin or self.content.size or self._thoughts is not None:
            return delta
        is_echo = bool(content) and content == thought_of(delta)[1]
        if self._echo is None and (is_echo or self.reasoning.mirror):
            self._echo = Echo(self._prose.write, self.reasoning.mirror)
            self.content = CumulativeFilter(self._echo.speak)
        if self._echo is None or not is_echo:
            return delta
        self._echo.add(str(content))
        return {field: value for field, value in delta.items() if field != "content"}

    def _settle(self) -> None:
        """Writes what is held back into the part that is about to end."""
        self.content.settle()
        if self._echo is not None:
            self._echo.settle()
        if self._thoughts is not None:
            self._thoughts.settle()
        self.reasoning.settle()

    def _watch(self, *, may_open: bool) -> Thoughts:
        """Sends all content from now on through `Thoughts`."""
        self.content.settle()
        thoughts = Thoughts(self.reasoning.words.take, self._prose.write, may_open=may_open)
        self.content = CumulativeFilter(thoughts.speak)
        return thoughts

    def _think_in_tags(self, text: str) -> None:
        self.reasoning.read_tagged(text)

    def _think(self, text: str) -> None:
        if self._thoughts is None:
            self._thoughts = self._watch(may_open=False)
        if text:
            self._thoughts.think(text)

    def _read_content(self, content: Any) -> None:
        for item in content if isinstance(content, list) else [content]:
            kind = item.get("type", "text" if "text" in item else None) if isinstance(item, dict) else None
            CONTENT.get("text" if type(item) in TEXTS else str(kind), Choice._read_unknown)(self, item)

    def _read_text(self, item: Any) -> None:
        if text := words_of(item):
            self.content.take(text)
        for field in CITATIONS if isinstance(item, dict) else ():
            self.extras.cite(item.get(field))

    def _read_audio(self, audio: Any) -> None:
        """Reads the transcript. The sound itself is not read."""
        transcript = audio.get("transcript") if isinstance(audio, dict) else None
        if text := words_of(transcript):
            self.content.take(text)
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
                self.content.drop()  # text, calls, and all of it once more
            self._prose.end()
        self._calls.take(fragments)

    def _read_extra(self, extra: Any) -> None:
        """Reads Gemini's thought signature, which it wants back. It may come in a delta of its own."""
        google = extra.get("google") if isinstance(extra, dict) else None
        if not (is_thought(extra) and isinstance(google, dict) and len(google) == len(extra) == 1):
            self._prose.sign(raw={"extra_content": extra})


def _beside(reader: Callable[[Extras, Any], None]) -> Callable[[Choice, Any], None]:
    return lambda choice, wire: reader(choice.extras, wire)


CITATIONS = ("annotations", "citations")
"""The fields of a content item that have its citations."""

TEXTS = (str, *NUMBERS)
"""The types of content items that are text by themselves."""

CONTENT: dict[str, Callable[[Choice, Any], None]] = {
    "text": Choice._read_text,
    "output_text": Choice._read_text,
    **dict.fromkeys(("thinking", "reasoning"), lambda choice, item: choice.reasoning.read_item(item)),
    "refusal": Choice._read_refusal,
    **dict.fromkeys(("tool_use", "tool_call", "toolCall", "function", "function_call"), Choice._read_tool_calls),
    **{type_: _beside(reader) for type_, reader in EXTRA_ITEMS.items()},
}
"""The reader of each type of content item."""

FIELDS: dict[str, Callable[[Choice, Any], None]] = {
    "reasoning_opaque": lambda choice, opaque: choice.reasoning.read_opaque(opaque),
    "content": Choice._read_content,
    "refusal": Choice._read_refusal,
    **{field: _beside(reader) for field, reader in EXTRA_FIELDS.items()},
    "usage": Choice._read_usage,
    **dict.fromkeys(CALLS, Choice._read_tool_calls),
    "extra_content": Choice._read_extra,
    "audio": Choice._read_audio,
    "finish_reason": lambda choice, reason: choice.read_reason(reason, None, is_bare=False),
    "error": Choice._read_error,
}
"""The reader of each field of a delta, in the order of reading."""

ORDER = {field: at for at, field in enumerate(FIELDS)}

OTHERS = frozenset({*FIELDS, *THINKING, *FLAGS, OWN, "function_call"} - {"content"})
