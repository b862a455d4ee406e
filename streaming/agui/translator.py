"""Translator turns the UI chunks of one answer into AG-UI events.

One answer is one message for us, and several in AG-UI. Each text is an assistant message, which also has the tool calls
after it; calls with no text before them in their step are in a message of their own. Reasoning is a message of its own.
The first assistant message has the answer's id. All other ids, also those of tool calls, begin with that id, because
the ids of some providers are unique only within one answer.

The cursor of a reader is the number of a chunk. A client that was cut off between two events of one chunk gets this
chunk's events again. So only the last event of a chunk adds something to a message; to repeat the others does no harm.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import msgspec

from streaming.agui.events import Event, as_text, run_error
from streaming.agui.ids import part_id
from streaming.agui.outcome import finished, usage_of
from streaming.protocol.ui_stream import replacement_in

Chunk = dict[str, Any]
DENIED = "The person refused this call."

_decode = msgspec.json.Decoder(Chunk).decode


class _Call(msgspec.Struct):
    """A call of the answer. `awaits` says what it waits for: an output of the client, or a person's decision."""

    is_provider_executed: bool
    has_arguments: bool = False
    awaits: Literal["output", "decision"] | None = None


class Translator:
    """Call `translate` with each chunk of a log, from the first on.

    The events that end a run have no `threadId` and no `runId`, because readers of one answer have different ones.
    """

    def __init__(self) -> None:
        self._answer = ""
        self._has_message = False
        self._message: str | None = None
        self._steps = 0
        # For each part that is open: the events that open it, and those that close it.
        self._open: dict[str, tuple[list[Event], list[Event]]] = {}
        self._late = ""  # the call that ends with the next chunk
        self._texts: dict[str, str] = {}
        self._calls: dict[str, _Call] = {}
        self._files = 0
        self._metadata: dict[str, Any] = {}
        self._is_cancelled = False
        self._end: Event = {}
        self.has_replaced = False
        """True if a text, or the arguments of a call, are not what streamed. AG-UI has no event that says so."""

    def translate(self, chunk: bytes) -> list[Event]:
        """Returns the events that a chunk adds. Chunks that AG-UI has no event for add none."""
        late, self._late = self._late, ""
        decoded = _decode(chunk)
        handler = HANDLERS.get(decoded["type"])
        ended = self._closed(late) if late else []
        return ended + handler(self, decoded) if handler else ended

    def reopening(self) -> list[Event]:
        """Returns the events that open again what is open, for a reader whose earlier stream was cut off here."""
        return [event for starts, _ in self._open.values() for event in starts]

    def closing(self) -> list[Event]:
        """Returns the events that close what is open."""
        closed = [event for _, ends in reversed(self._open.values()) for event in ends]
        self._open.clear()
        return closed

    def state(self) -> Event:
        """Returns the event that tells a reader who has not followed the run how it ended.

        The questions of a run whose process died stay open. So they are told instead of the error.
        """
        asked = self._calls_that_await("decision")
        is_open = self._end["type"] == "RUN_ERROR" and asked and self._metadata.get("status") == "interrupted"
        return finished(self._metadata, asked, [], is_cancelled=False) if is_open else self._end

    def _start(self, chunk: Chunk) -> list[Event]:
        self._answer = chunk["messageId"]
        return []

    def _step_started(self, chunk: Chunk) -> list[Event]:
        self._steps += 1
        self._message = None
        name = {"stepName": f"step {self._steps}"}
        return self._opened("step", [{"type": "STEP_STARTED", **name}], [{"type": "STEP_FINISHED", **name}])

    def _step_finished(self, chunk: Chunk) -> list[Event]:
        return self._closed("step")

    def _text_started(self, chunk: Chunk) -> list[Event]:
        id = self._texts[chunk["id"]] = self._new_message(chunk["id"])
        start = {"type": "TEXT_MESSAGE_START", "messageId": id, "role": "assistant"}
        return self._opened(chunk["id"], [start], [{"type": "TEXT_MESSAGE_END", "messageId": id}])

    def _text(self, chunk: Chunk) -> list[Event]:
        return [{"type": "TEXT_MESSAGE_CONTENT", "messageId": self._texts[chunk["id"]], "delta": chunk["delta"]}]

    def _part_ended(self, chunk: Chunk) -> list[Event]:
        self._note_replacement(chunk)
        return self._closed(chunk["id"])

    def _reasoning_started(self, chunk: Chunk) -> list[Event]:
        id = {"messageId": self._part_id(chunk["id"])}
        starts = [{"type": "REASONING_START", **id}, {"type": "REASONING_MESSAGE_START", **id, "role": "reasoning"}]
        ends = [{"type": "REASONING_MESSAGE_END", **id}, {"type": "REASONING_END", **id}]
        return self._opened(chunk["id"], starts, ends)

    def _reasoning(self, chunk: Chunk) -> list[Event]:
        id = self._part_id(chunk["id"])
        return [{"type": "REASONING_MESSAGE_CONTENT", "messageId": id, "delta": chunk["delta"]}]

    def _call_started(self, chunk: Chunk) -> list[Event]:
        call = self._part_id(chunk["toolCallId"])
        self._calls[call] = _Call(is_provider_executed=chunk.get("providerExecuted", False))
        start = {"type": "TOOL_CALL_START", "toolCallId": call, "toolCallName": chunk["toolName"]}
        start["parentMessageId"] = self._message or self._new_message(f"calls-{self._steps}")
        return self._opened(call, [start], [{"type": "TOOL_CALL_END", "toolCallId": call}])

    def _arguments(self, chunk: Chunk) -> list[Event]:
        call = self._part_id(chunk["toolCallId"])
        self._calls[call].has_arguments = True
        return [{"type": "TOOL_CALL_ARGS", "toolCallId": call, "delta": chunk["inputTextDelta"]}]

    def _call_ended(self, chunk: Chunk) -> list[Event]:
        """Ends a call. If its arguments came in no pieces they are sent now, and its end comes with the next chunk."""
        self._note_replacement(chunk)
        call = self._part_id(chunk["toolCallId"])
        known = self._calls[call]
        known.awaits = None if known.is_provider_executed else "output"
        if known.has_arguments:
            return self._closed(call)
        self._late = call
        return [{"type": "TOOL_CALL_ARGS", "toolCallId": call, "delta": as_text(chunk["input"])}]

    def _call_failed(self, chunk: Chunk) -> list[Event]:
        self._note_replacement(chunk)
        call = self._part_id(chunk["toolCallId"])
        return [*self._closed(call), *self._result(call, chunk["errorText"], is_error=True)]

    def _output(self, chunk: Chunk) -> list[Event]:
        return self._result(self._part_id(chunk["toolCallId"]), as_text(chunk.get("output")))

    def _failure(self, chunk: Chunk) -> list[Event]:
        return self._result(self._part_id(chunk["toolCallId"]), chunk["errorText"], is_error=True)

    def _denied(self, chunk: Chunk) -> list[Event]:
        return self._result(self._part_id(chunk["toolCallId"]), DENIED, is_error=True)

    def _asked_for(self, chunk: Chunk) -> list[Event]:
        self._calls[self._part_id(chunk["toolCallId"])].awaits = "decision"
        return []

    def _source(self, chunk: Chunk) -> list[Event]:
        content: dict[str, Any] = {name: chunk[name] for name in ("url", "title") if name in chunk}
        return [self._activity(f"source-{chunk['sourceId']}", "source", content)]

    def _file(self, chunk: Chunk) -> list[Event]:
        self._files += 1
        content = {"url": chunk["url"], "mediaType": chunk["mediaType"]}
        return [self._activity(f"file-{self._files}", "file", content)]

    def _metadata_told(self, chunk: Chunk) -> list[Event]:
        self._metadata = chunk["messageMetadata"]
        return []

    def _aborted(self, chunk: Chunk) -> list[Event]:
        self._is_cancelled = True
        return []

    def _error(self, chunk: Chunk) -> list[Event]:
        usage, code = usage_of(self._metadata), self._metadata.get("errorCode") or "internal"
        self._end = run_error(chunk["errorText"], code) | usage | {"metadata": self._metadata}
        return [*self.closing(), self._end]

    def _finished(self, chunk: Chunk) -> list[Event]:
        asked, waiting = self._calls_that_await("decision"), self._calls_that_await("output")
        metadata = chunk.get("messageMetadata") or {}
        self._end = finished(metadata, asked, waiting, is_cancelled=self._is_cancelled)
        return [*self.closing(), self._end]

    def _calls_that_await(self, awaited: str) -> list[str]:
        return [id for id, call in self._calls.items() if call.awaits == awaited]

    def _note_replacement(self, chunk: Chunk) -> None:
        self.has_replaced = self.has_replaced or replacement_in(chunk.get("providerMetadata")) is not None

    def _opened(self, part: str, starts: list[Event], ends: list[Event]) -> list[Event]:
        self._open[part] = starts, ends
        return list(starts)

    def _closed(self, part: str) -> list[Event]:
        return list(self._open.pop(part, ([], []))[1])

    def _part_id(self, part: str) -> str:
        return part_id(self._answer, part)

    def _new_message(self, part: str) -> str:
        """Returns the id of a new assistant message, which begins with this part."""
        self._message = self._part_id(part) if self._has_message else self._answer
        self._has_message = True
        return self._message

    def _result(self, call: str, content: str, *, is_error: bool = False) -> list[Event]:
        self._calls[call].awaits = None
        result = {"type": "TOOL_CALL_RESULT", "messageId": f"{call}:result", "toolCallId": call, "content": content}
        return [result | {"metadata": {"isError": True}} if is_error else result]

    def _activity(self, name: str, kind: str, content: dict[str, Any]) -> Event:
        id = self._part_id(name)
        return {"type": "ACTIVITY_SNAPSHOT", "messageId": id, "activityType": kind, "content": content}


HANDLERS: dict[str, Callable[[Translator, Chunk], list[Event]]] = {
    "start": Translator._start,
    "start-step": Translator._step_started,
    "finish-step": Translator._step_finished,
    "text-start": Translator._text_started,
    "text-delta": Translator._text,
    "text-end": Translator._part_ended,
    "reasoning-start": Translator._reasoning_started,
    "reasoning-delta": Translator._reasoning,
    "reasoning-end": Translator._part_ended,
    "tool-input-start": Translator._call_started,
    "tool-input-delta": Translator._arguments,
    "tool-input-available": Translator._call_ended,
    "tool-input-error": Translator._call_failed,
    "tool-output-available": Translator._output,
    "tool-output-error": Translator._failure,
    "tool-output-denied": Translator._denied,
    "tool-approval-request": Translator._asked_for,
    "source-url": Translator._source,
    "file": Translator._file,
    "message-metadata": Translator._metadata_told,
    "abort": Translator._aborted,
    "error": Translator._error,
    "finish": Translator._finished,
}
"""The type of a chunk -> what it adds."""
