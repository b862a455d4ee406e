"""The last chunk of a stream, read once more: what few servers send, and only there.

Looking for it in each chunk would cost time in every stream.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from streaming.protocol.dialects.answer import failure_of, meaning_of, read_usage
from streaming.protocol.dialects.openai_chat.choice import Choice
from streaming.protocol.dialects.openai_chat.chunks.chunk import LastChoice, LastChunk, Timings, delta_of
from streaming.protocol.dialects.openai_chat.delta import kinds_of
from streaming.protocol.dialects.openai_chat.ending import Ending, reason_in
from streaming.protocol.dialects.wire import has_failed_status, is_certain_error, object_of, read_error, reread, shape
from streaming.protocol.events import StreamError, Usage


def read_last_chunk(data: bytes, choices: Mapping[int, Choice]) -> Usage:
    """Returns the usage, as far as it is there. Completes the end of each choice.

    A choice may lack a finish reason under another name, or an error beside a silent delta. `choices` has the choices
    by the indexes that the server uses.
    """
    wire = object_of(reread(data))
    chunk = shape(wire, LastChunk)
    for each in chunk.choices or ():
        choice = choices.get(each.index or 0)
        if choice is not None:
            _complete(choice.ending, each, wire)
    if chunk.timings is not None:
        return _usage_of(chunk.timings)
    return read_usage(next(filter(None, map(wire.get, USAGE_KEYS)), None))


def _complete(ending: Ending, last: LastChoice, wire: dict[str, Any]) -> None:
    """Gives a choice the end that it lacks: `last` is its part of the last chunk, `wire`."""
    if last.error_message:
        ending.failure = _error_of(last)
    elif has_failed_status(wire):
        ending.failure = read_error(wire)
    elif not ending.is_known:
        reason = wire.get("finish_reason") or last.finishReason or _stop_reason(last)
        ending.read(reason, None)
        if not (reason or kinds_of(delta_of(last))) and is_certain_error(wire):
            ending.failure = read_error(wire)


USAGE_KEYS = ("usageMetadata", "usage_metadata", "amazon-bedrock-invocationMetrics", "meta", "token_usage")
"""The names of the usage in gateways that pass on their provider's own (Gemini, Bedrock, Cohere, Databricks)."""


def _usage_of(timings: Timings) -> Usage:
    prompt = None if timings.prompt_n is None else timings.prompt_n + (timings.cache_n or 0)
    counts = {"prompt_tokens": prompt, "completion_tokens": timings.predicted_n, "cached_tokens": timings.cache_n}
    return read_usage(counts)


def _error_of(wire: LastChoice) -> StreamError:
    """Returns the error of a choice that has its fields beside the delta."""
    code = wire.error_code or failure_of(reason_in(wire.finish_reason))
    return read_error({"message": wire.error_message, "code": code})


def _stop_reason(wire: LastChoice) -> str | None:
    """Returns the word in the field `stop_reason` if it is known: vLLM uses the field for tokens."""
    word = reason_in(wire.stop_reason)
    return word if failure_of(word) or meaning_of(word) != "other" else None
