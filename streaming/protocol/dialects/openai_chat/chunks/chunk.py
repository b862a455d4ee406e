"""The fields of a chunk that are read."""

from __future__ import annotations

from typing import Any

import msgspec

JSONObject = dict[str, Any]


class WireChoice(msgspec.Struct, gc=False):
    """One choice of a chunk, or of a completion that was not streamed."""

    delta: Any = None
    index: int | None = 0
    finish_reason: Any = None
    native_finish_reason: Any = None
    message: Any = None
    text: Any = None
    tool_calls: Any = None
    usage: Any = None
    error: Any = None


def delta_of(wire: WireChoice) -> JSONObject:
    """Returns the delta of a choice. Some servers send only its text, or a list, or put the text or calls beside it."""
    given = wire.delta
    if not given and wire.text is not None and not isinstance(wire.message, dict):
        given = {"content": wire.text}  # the API before chat
    if isinstance(given, dict) and not wire.tool_calls:
        return given
    pieces: list[Any] = given if isinstance(given, list) else [{"content": given} if isinstance(given, str) else given]
    delta = {key: value for piece in pieces if isinstance(piece, dict) for key, value in piece.items()}
    return {"tool_calls": wire.tool_calls} | delta if wire.tool_calls else delta


class WireChunk(msgspec.Struct, gc=False):
    """One event."""

    choices: list[WireChoice] | None = None
    id: Any = None
    model: Any = None
    usage: Any = None
    error: Any = None
    finish_reason: Any = None
    x_groq: Any = None
    search_results: msgspec.Raw = msgspec.Raw()
    citations: msgspec.Raw = msgspec.Raw()


class LastChoice(WireChoice, gc=False):
    """One choice of the last chunk, with fields that only few servers send."""

    finishReason: Any = None
    stop_reason: Any = None
    error_message: Any = None
    error_code: Any = None


class Timings(msgspec.Struct, gc=False):
    """The counts that llama.cpp sends if nobody asked for the usage."""

    cache_n: int | None = None
    prompt_n: int | None = None
    """The tokens of the prompt that were not in the cache."""
    predicted_n: int | None = None


class LastChunk(msgspec.Struct, gc=False):
    """The last chunk."""

    choices: list[LastChoice] | None = None
    timings: Timings | None = None
