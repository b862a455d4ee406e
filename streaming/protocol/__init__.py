"""The sans-IO core: it turns a provider's bytes into typed events, and these into an answer.

    parser = StreamParser("openai-chat")  # "openai-responses", "anthropic-messages"
    transcript = Transcript()
    for chunk in body:  # bytes, cut anywhere
        for event in parser.feed(chunk):
            transcript.apply(event)
    for event in parser.close():
        transcript.apply(event)

`encode("openai-chat", GenerationRequest(...))` gives the JSON body that asks for such a stream.

No Django, no asyncio, no SDK, no socket: this package runs in any Python program.
"""

from __future__ import annotations

from streaming.protocol.dialects import DialectName, encode
from streaming.protocol.events import (
    Cited,
    Event,
    Failed,
    FileReceived,
    Finished,
    FinishReason,
    Heartbeat,
    OpaqueReceived,
    PartEnded,
    ReasoningDelta,
    ReasoningSigned,
    RefusalDelta,
    Started,
    StepStarted,
    StreamError,
    TextDelta,
    TextRecast,
    ToolApproved,
    ToolCallDelta,
    ToolCallEnded,
    ToolCallStarted,
    ToolResulted,
    Truncated,
    Unknown,
    Usage,
    UsageReported,
    Warning,
)
from streaming.protocol.json_scanner import JSONError, JSONScanner, StringDelta
from streaming.protocol.lenient_sse import Leniency
from streaming.protocol.parser import StreamParser
from streaming.protocol.parts import (
    FilePart,
    OpaquePart,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolApproval,
    ToolCall,
    ToolResult,
    Turn,
    dump_parts,
    is_of_another_version,
    load_parts,
    readable_parts,
    text_of,
)
from streaming.protocol.requests import GenerationRequest, OutputSpec, ToolSpec
from streaming.protocol.sse import ServerSentEvent, SSEDecoder, encode_sse
from streaming.protocol.transcript import Transcript

__all__ = [
    "Cited",
    "DialectName",
    "Event",
    "Failed",
    "FilePart",
    "FileReceived",
    "FinishReason",
    "Finished",
    "GenerationRequest",
    "Heartbeat",
    "JSONError",
    "JSONScanner",
    "Leniency",
    "OpaquePart",
    "OpaqueReceived",
    "OutputSpec",
    "Part",
    "PartEnded",
    "ReasoningDelta",
    "ReasoningPart",
    "ReasoningSigned",
    "RefusalDelta",
    "RefusalPart",
    "SSEDecoder",
    "ServerSentEvent",
    "Started",
    "StepStarted",
    "StreamError",
    "StreamParser",
    "StringDelta",
    "TextDelta",
    "TextPart",
    "TextRecast",
    "ToolApproval",
    "ToolApproved",
    "ToolCall",
    "ToolCallDelta",
    "ToolCallEnded",
    "ToolCallStarted",
    "ToolResult",
    "ToolResulted",
    "ToolSpec",
    "Transcript",
    "Truncated",
    "Turn",
    "Unknown",
    "Usage",
    "UsageReported",
    "Warning",
    "dump_parts",
    "encode",
    "encode_sse",
    "is_of_another_version",
    "load_parts",
    "readable_parts",
    "text_of",
]
