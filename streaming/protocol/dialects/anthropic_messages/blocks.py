"""The content blocks of an Anthropic message: one class for each way in which they stream."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from streaming.protocol.dialects.answer import AnswerWriter, Arguments, Call, Prose, name_of, text_of
from streaming.protocol.events import Cited, OpaqueReceived

JSONObject = dict[str, Any]
Readers = Mapping[str | None, Callable[[Any], None]]


NO_DELTAS: Readers = {}


class Block(Protocol):
    """One block, from its start to its stop."""

    deltas: Readers
    """The reader of each type of delta."""

    def __init__(self, writer: AnswerWriter, wire: JSONObject) -> None: ...

    def end(self) -> None:
        """Ends the block. Does nothing the second time."""


class ProseBlock:
    """Text with citations, or thinking with the signature that the API wants back.

    The type of each delta decides which it is, because some relays begin every block as text, or send text into a
    thinking block.
    """

    def __init__(self, writer: AnswerWriter, wire: JSONObject) -> None:
        self._writer = writer
        self._prose = Prose(writer)
        self._write = self._prose.write
        self._text = _string(wire.get("text"))
        self._thinking = _string(wire.get("thinking"))
        self._signature = _string(wire.get("signature"))
        self.deltas: Readers = {
            "text_delta": self._read_text,
            "thinking_delta": self._read_thinking,
            "signature_delta": self._read_signature,
            "citations_delta": self._read_citation,
        }
        citations = wire.get("citations")
        for citation in citations if isinstance(citations, list) else []:
            self._cite(citation)

    def end(self) -> None:
        self._write_whole()
        if self._signature:
            self._prose.sign(signature=self._signature)
            self._signature = ""
        self._prose.end()

    def _read_text(self, delta: Any) -> None:
        text = delta.text
        if type(text) is str and text:
            if self._text:
                text, self._text = _joined(self._text, text), ""
            self._write(text)

    def _read_thinking(self, delta: Any) -> None:
        thinking = delta.thinking
        if type(thinking) is str and thinking:
            if self._thinking:
                thinking, self._thinking = _joined(self._thinking, thinking), ""
            self._prose.reasoning(thinking)

    def _read_signature(self, delta: Any) -> None:
        self._write_whole()
        self._signature = ""
        if isinstance(delta.signature, str) and delta.signature:
            self._prose.sign(signature=delta.signature)

    def _read_citation(self, delta: Any) -> None:
        self._write_whole()
        self._cite(delta.citation)

    def _cite(self, citation: Any) -> None:
        if isinstance(citation, dict):
            self._writer.emit(Cited(self._prose.place(), citation))

    def _write_whole(self) -> None:
        """Writes the text that only the start held."""
        text, self._text = self._text, ""
        thinking, self._thinking = self._thinking, ""
        if thinking:
            self._prose.reasoning(thinking)
        if text:
            self._prose.write(text)


def _joined(start: str, delta: str) -> str:
    """Returns the text of a start with the first delta: the deltas repeat it (MiniMax), or continue it."""
    return delta if delta.startswith(start) or start.startswith(delta) else start + delta


class RedactedBlock:
    """Thinking that only the provider can read. It comes whole at the start."""

    deltas: Readers = NO_DELTAS

    def __init__(self, writer: AnswerWriter, wire: JSONObject) -> None:
        prose = Prose(writer)
        prose.sign(raw=wire)
        prose.end()

    def end(self) -> None:
        """Does nothing: the block was complete at its start."""


class CallBlock:
    """A tool call. Its arguments stream as fragments of JSON text, or come whole with the start."""

    is_provider_executed = False
    usual_keys = frozenset({"type", "id", "name", "input"})
    """The keys that the call has itself. All others go back with it."""

    def __init__(self, writer: AnswerWriter, wire: JSONObject) -> None:
        self._id = _string(wire.get("id"))
        self._call = Call(
            writer,
            id=self._id,
            name=name_of(wire.get("name")),
            is_provider_executed=self.is_provider_executed or self._id.startswith(SERVER_ID),
        )
        self._arguments = Arguments(self._call)
        self._call.raw = {key: wire[key] for key in wire if key not in self.usual_keys} or None
        self._call.announced = text_of(wire.get("input") or "")
        self.deltas: Readers = {"input_json_delta": self._read_json}
        if self._call.name:
            self._call.start()

    def is_of(self, wire: JSONObject) -> bool:
        """Returns True if `wire` begins this call."""
        return bool(self._id) and wire.get("id") == self._id

    def end(self) -> None:
        """Ends the call. A call of the site's without input stays open: the stop reason shows if it was cut."""
        if self._call.size or self._call.announced or self._call.is_provider_executed:
            self._call.end()

    def conclude(self) -> None:
        """Ends the call, because another block has begun: the input was complete."""
        self._call.end()

    def _read_json(self, delta: Any) -> None:
        fragment = delta.partial_json
        if type(fragment) is str:
            self._arguments.add(fragment)
        elif isinstance(fragment, dict):
            self._arguments.snap(fragment)


SERVER_ID = "srvtoolu_"
"""The beginning of the ids of calls that the provider executes. Some relays call their blocks `tool_use`."""


class ProviderCallBlock(CallBlock):
    """A call of a tool that the provider executes itself. It goes back with its type."""

    is_provider_executed = True
    usual_keys = CallBlock.usual_keys - {"type"}


class ResultBlock:
    """The result of a tool that the provider executed. It comes whole at the start."""

    deltas: Readers = NO_DELTAS

    def __init__(self, writer: AnswerWriter, wire: JSONObject) -> None:
        content = wire.get("content")
        is_error = isinstance(content, dict) and str(content.get("type")).endswith("_error")
        is_error = is_error or bool(wire.get("is_error"))
        raw = {key: value for key, value in wire.items() if key not in ("content", "tool_use_id")}
        writer.add_result(_string(wire.get("tool_use_id")), content, is_error=is_error, raw=raw)

    def end(self) -> None:
        """Does nothing: the block was complete at its start."""


class OpaqueBlock:
    """Any other block (compaction, fallback, future ones). It is kept whole for the next turn."""

    def __init__(self, writer: AnswerWriter, wire: JSONObject) -> None:
        self._writer = writer
        self._wire: JSONObject | None = dict(wire)
        self.deltas: Readers = {"compaction_delta": self._read_compaction}

    def end(self) -> None:
        if self._wire is not None:
            self._writer.emit(OpaqueReceived(self._writer.new_part(), self._wire))
            self._writer.silent_parts += 1
            self._wire = None

    def _read_compaction(self, delta: Any) -> None:
        for key in ("content", "encrypted_content"):
            given = getattr(delta, key)
            if self._wire is not None and isinstance(given, str):
                self._wire[key] = _string(self._wire.get(key)) + given


def _string(value: Any) -> str:
    return value if isinstance(value, str) else ""


RESULTS = (
    "web_search",
    "web_fetch",
    "code_execution",
    "bash_code_execution",
    "text_editor_code_execution",
    "tool_search",
    "advisor",
)

BLOCKS: dict[str, type[Block]] = {
    "text": ProseBlock,
    "thinking": ProseBlock,
    "redacted_thinking": RedactedBlock,
    "tool_use": CallBlock,
    "server_tool_use": ProviderCallBlock,
    "mcp_tool_use": ProviderCallBlock,
    "mcp_tool_result": ResultBlock,
    **{f"{name}_tool_result": ResultBlock for name in RESULTS},
}
"""The class of each type of block. All others are `OpaqueBlock`."""
