"""The content blocks of an Anthropic message: one class for each way in which they stream."""

from __future__ import annotations

from typing import Any

from streaming.protocol.dialects.answer import AnswerWriter, Prose, continued
from streaming.protocol.dialects.anthropic_messages.block import Block, JSONObject
from streaming.protocol.dialects.anthropic_messages.call_blocks import CallBlock, ProviderCallBlock
from streaming.protocol.dialects.anthropic_messages.payload import string_of
from streaming.protocol.events import Cited, OpaqueReceived


class ProseBlock(Block):
    """Text with citations, or thinking with the signature that the API wants back.

    The type of each delta decides which it is, because some relays begin every block as text, or send text into a
    thinking block.
    """

    def __init__(self, writer: AnswerWriter, wire: JSONObject) -> None:
        super().__init__(writer, wire)
        self._prose = Prose(writer)
        self._write = self._prose.write
        announced = {key: string_of(wire.get(key)) for key in ("text", "thinking", "signature")}
        self._announced = {key: text for key, text in announced.items() if text}
        """What the start has. The deltas repeat or continue it, or there are none."""
        self.deltas = {
            "text_delta": self._read_text,
            "thinking_delta": self._read_thinking,
            "signature_delta": self._read_signature,
            "citations_delta": self._read_citation,
        }
        citations = wire.get("citations")
        for citation in citations if isinstance(citations, list) else []:
            self._cite(citation)

    def end(self) -> None:
        self._write_announced()
        if signature := self._announced.pop("signature", ""):
            self._prose.sign(signature=signature)
        self._prose.end()

    def _read_text(self, delta: Any) -> None:
        text = delta.text
        if type(text) is str and text:
            if self._announced:
                text = continued(self._announced.pop("text", ""), text)
            self._write(text)

    def _read_thinking(self, delta: Any) -> None:
        thinking = delta.thinking or delta.text
        if type(thinking) is str and thinking:
            if self._announced:
                thinking = continued(self._announced.pop("thinking", ""), thinking)
            self._prose.reasoning(thinking)
        if delta.signature:
            self._read_signature(delta)

    def _read_signature(self, delta: Any) -> None:
        self._write_announced()
        self._announced.clear()
        if isinstance(delta.signature, str) and delta.signature:
            self._prose.sign(signature=delta.signature)

    def _read_citation(self, delta: Any) -> None:
        self._write_announced()
        self._cite(delta.citation)

    def _cite(self, citation: Any) -> None:
        if isinstance(citation, dict):
            self._writer.emit(Cited(self._prose.place(), citation))

    def _write_announced(self) -> None:
        """Writes the words that only the start had."""
        for key, write in (("thinking", self._prose.reasoning), ("text", self._prose.write)):
            if words := self._announced.pop(key, ""):
                write(words)


class RedactedBlock(Block):
    """Thinking that only the provider can read."""

    def __init__(self, writer: AnswerWriter, wire: JSONObject) -> None:
        super().__init__(writer, wire)
        prose = Prose(writer)
        prose.sign(raw=wire)
        prose.end()


class ResultBlock(Block):
    """The result of a tool that the provider executed."""

    def __init__(self, writer: AnswerWriter, wire: JSONObject) -> None:
        super().__init__(writer, wire)
        content = wire.get("content")
        is_error = isinstance(content, dict) and str(content.get("type")).endswith("_error")
        is_error = is_error or bool(wire.get("is_error"))
        raw = {key: value for key, value in wire.items() if key not in ("content", "tool_use_id")}
        writer.add_result(string_of(wire.get("tool_use_id")), content, is_error=is_error, raw=raw)


class OpaqueBlock(Block):
    """Any other block (compaction, fallback, future ones). It is kept whole for the next turn."""

    def __init__(self, writer: AnswerWriter, wire: JSONObject) -> None:
        super().__init__(writer, wire)
        self._wire: JSONObject | None = dict(wire)
        self.deltas = {"compaction_delta": self._read_compaction}

    def end(self) -> None:
        if self._wire is not None:
            self._writer.emit(OpaqueReceived(self._writer.new_part(), self._wire))
            self._writer.silent_parts += 1
            self._wire = None

    def _read_compaction(self, delta: Any) -> None:
        if self._wire is not None and isinstance(delta.content, str):
            self._wire["content"] = string_of(self._wire.get("content")) + delta.content
        if self._wire is not None and isinstance(delta.encrypted_content, str):  # each is the whole
            self._wire["encrypted_content"] = delta.encrypted_content


BLOCKS: dict[str, type[Block]] = {
    "text": ProseBlock,
    "thinking": ProseBlock,
    "redacted_thinking": RedactedBlock,
    "tool_use": CallBlock,
    "server_tool_use": ProviderCallBlock,
    "mcp_tool_use": ProviderCallBlock,
}
"""The class of each type of block. All others are results of the provider's tools, or an `OpaqueBlock`."""


def class_of(wire: JSONObject) -> type[Block]:
    """Returns the class of a block. Each tool of the provider has a type of result of its own."""
    type_ = str(wire.get("type"))
    return BLOCKS.get(type_, ResultBlock if type_.endswith("_tool_result") else OpaqueBlock)
