"""Token counts: where each dialect puts them, and how later reports update earlier ones."""

from __future__ import annotations

from typing import Any

import msgspec

from streaming.protocol.events import MAX_COUNT, Usage

FieldPath = tuple[str, ...]

FIELD_PATHS: dict[str, tuple[FieldPath, ...]] = {
    "input_tokens": (
        *(("prompt_tokens",), ("input_tokens",)),
        *(("promptTokens",), ("inputTokens",)),
        *(("promptTokenCount",), ("inputTokenCount",)),  # Gemini, Bedrock
        ("tokens", "input_tokens"),  # Cohere
    ),
    "output_tokens": (
        *(("completion_tokens",), ("output_tokens",)),
        *(("completionTokens",), ("outputTokens",)),
        *(("candidatesTokenCount",), ("outputTokenCount",)),
        ("tokens", "output_tokens"),  # Cohere
    ),
    "cached_input_tokens": (
        ("prompt_tokens_details", "cached_tokens"),
        ("input_tokens_details", "cached_tokens"),
        ("cache_read_input_tokens",),  # Anthropic
        ("prompt_cache_hit_tokens",),  # DeepSeek
        ("cached_tokens",),  # Moonshot
        *(("num_cached_tokens",), ("cachedContentTokenCount",)),  # SGLang, Gemini
    ),
    "cache_write_tokens": (
        ("prompt_tokens_details", "cache_write_tokens"),
        ("cache_creation_input_tokens",),  # Anthropic
    ),
    "reasoning_tokens": (
        ("completion_tokens_details", "reasoning_tokens"),
        ("output_tokens_details", "reasoning_tokens"),
        ("output_tokens_details", "thinking_tokens"),  # Anthropic
        *(("reasoning_tokens",), ("thoughtsTokenCount",)),
    ),
    "total_tokens": (("total_tokens",), ("totalTokens",), ("totalTokenCount",)),
}
"""The paths at which each field of `Usage` is found, in any dialect, best first."""


def read_usage(wire: Any, *, is_early: bool = False) -> Usage:
    """Reads a provider's usage object. Fields that are absent, null or no counts are None.

    An early report comes before the first word. Its count of the output is a placeholder (Anthropic: 1 to 8), so it is
    None.
    """
    known = {field: _first(wire, paths) for field, paths in FIELD_PATHS.items()}
    return Usage(**known | ({"output_tokens": None} if is_early else {}))


def merge(old: Usage, new: Usage) -> Usage:
    """Returns the newer totals. They replace the old ones and are never added; unknown ones keep the old count.

    A 0 never replaces a count: some proxies know only the output, or nothing, when they send the last report.
    """
    return Usage(**{field: _later(getattr(old, field), getattr(new, field)) for field in FIELD_PATHS})


def _later(old: int | None, new: int | None) -> int | None:
    return old if new is None or (new == 0 and old is not None) else new


def _first(wire: Any, paths: tuple[FieldPath, ...]) -> int | None:
    return next((count for path in paths if (count := _count_at(wire, path)) is not None), None)


def _count_at(wire: Any, path: FieldPath) -> int | None:
    for key in path:
        wire = wire.get(key) if isinstance(wire, dict) else None
    if wire is None:
        return None
    try:
        count = msgspec.convert(wire, int, strict=False)
    except msgspec.ValidationError:
        return None
    return count if 0 <= count <= MAX_COUNT else None
