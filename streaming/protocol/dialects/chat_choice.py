"""One choice of a chat completion: its deltas, field by field, to parts."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from streaming.protocol.dialects.cumulative import GrowthOnly
from streaming.protocol.dialects.files import read_image
from streaming.protocol.dialects.prose import Prose
from streaming.protocol.dialects.tool_calls import Fragment, Function, ToolCalls
from streaming.protocol.events import Cited, FileReceived, StreamError

if TYPE_CHECKING:
    from streaming.protocol.dialects.answer import Answer


class Delta(msgspec.Struct, gc=False):
    """`choices[].delta`, or the `message` of a completion that was not streamed."""

    content: Any = None
    reasoning_content: Any = None
    reasoning: Any = None
    reasoning_details: Any = None
    refusal: Any = None
    tool_calls: list[Fragment] | None = None
    function_call: Function | None = None
    annotations: Any = None
    images: Any = None
    audio: msgspec.Raw = msgspec.Raw()
    extra_content: Any = None


class ChatChoice:
    """The parts of one choice as they grow."""

    def __init__(self, answer: Answer, index: int) -> None:
        self.finish_reason: str | None = None
        self.failure: StreamError | None = None
        self._answer = answer
        self._index = index
        self._prose = Prose(answer, index, before_close=self._settle)
        self._content = GrowthOnly(self._prose.write)
        self._reasoning = GrowthOnly(self._prose.reasoning)
        self._calls = ToolCalls(answer, index)

    def read(self, delta: Delta) -> None:
        """Take one delta. Reasoning comes before text, and text before calls, when one delta has several."""
        content = delta.content
        if (
            type(content) is str
            and delta.reasoning_content is None
            and delta.reasoning is None
            and delta.reasoning_details is None
            and delta.refusal is None
            and delta.tool_calls is None
            and delta.function_call is None
            and delta.annotations is None
            and delta.images is None
            and not delta.audio
            and delta.extra_content is None
        ):
            if content:
                self._content.feed(content)
            return
        self._read_reasoning(delta)
        for field, read in FIELDS.items():
            value = getattr(delta, field)
            if value:
                read(self, value)

    def cite(self, sources: Any) -> None:
        """Citations of the whole answer, each an object or a bare URL."""
        for source in sources if isinstance(sources, list) else []:
            citation = source if isinstance(source, dict) else {"type": "url_citation", "url": str(source)}
            self._answer.emit(Cited(self._prose.place(), citation, self._index))

    def _settle(self) -> None:
        self._reasoning.settle()
        self._content.settle()

    def _read_reasoning(self, delta: Delta) -> None:
        """Servers put one thought in up to three fields: the first that has words is taken."""
        details = delta.reasoning_details if isinstance(delta.reasoning_details, list) else []
        details = [detail for detail in details if isinstance(detail, dict)]
        texts = (delta.reasoning_content, delta.reasoning, "".join(map(_words_of, details)))
        text = next((text for text in texts if text and isinstance(text, str)), None)
        if text:
            self._reasoning.feed(text)
        for detail in details:
            self._sign(detail)

    def _sign(self, detail: dict[str, Any]) -> None:
        if detail.get("data"):
            self._prose.sign(raw=detail)
        elif isinstance(detail.get("signature"), str) and detail["signature"]:
            self._prose.sign(signature=detail["signature"])

    def _read_content(self, content: Any) -> None:
        if isinstance(content, str):
            self._content.feed(content)
        elif isinstance(content, list):
            for item in content:
                self._read_item(item)
        else:
            self._answer.unknown(msgspec.json.encode(content))

    def _read_item(self, item: Any) -> None:
        """One item of a content list (Mistral): its words by its type."""
        kind = item.get("type") if isinstance(item, dict) else None
        if kind == "thinking":
            thinking = item.get("thinking")
            items = thinking if isinstance(thinking, list) else [{"text": thinking}]
            self._reasoning.feed("".join(map(_words_of, items)))
        elif kind == "text" and isinstance(item.get("text"), str):
            self._content.feed(item["text"])
        else:
            self._answer.unknown(msgspec.json.encode(item))

    def _read_refusal(self, refusal: Any) -> None:
        if isinstance(refusal, str):
            self._prose.refusal(refusal)

    def _read_images(self, images: Any) -> None:
        for image in images if isinstance(images, list) else []:
            if found := read_image(image):
                self._prose.end()
                self._answer.emit(FileReceived(self._answer.new_part(self._index), *found, self._index))
            else:
                self._answer.unknown(msgspec.json.encode(image))

    def _read_function_call(self, function: Function) -> None:
        """The form before `tool_calls`: one call, without index and id."""
        self._read_tool_calls([Fragment(index="function_call", function=function)])

    def _read_tool_calls(self, fragments: list[Fragment]) -> None:
        self._prose.end()
        for fragment in fragments:
            self._calls.take(fragment)

    def _read_extra(self, extra: Any) -> None:
        """Gemini's thought signature, which it wants back, may come in a delta of its own."""
        self._prose.sign(raw={"extra_content": extra})

    def _read_audio(self, audio: msgspec.Raw) -> None:
        if bytes(audio) != b"null":
            self._answer.unknown(bytes(audio))


def _words_of(item: Any) -> str:
    """The words of a reasoning detail or a content item."""
    words = (item.get("text") or item.get("summary")) if isinstance(item, dict) else None
    return words if isinstance(words, str) else ""


FIELDS: dict[str, Callable[[ChatChoice, Any], None]] = {
    "content": ChatChoice._read_content,
    "refusal": ChatChoice._read_refusal,
    "images": ChatChoice._read_images,
    "annotations": ChatChoice.cite,
    "function_call": ChatChoice._read_function_call,
    "tool_calls": ChatChoice._read_tool_calls,
    "extra_content": ChatChoice._read_extra,
    "audio": ChatChoice._read_audio,
}
"""Field of a delta to what reads it, in order."""
