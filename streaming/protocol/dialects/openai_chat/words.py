"""The fields of a delta that have words, and the text within them."""

from __future__ import annotations

from typing import Any

from streaming.protocol.dialects.answer import text_of

NOTHING = frozenset({"", "null", "none", "undefined"})
"""The words, in any case, that servers send in the place of no name, no id or no finish reason."""

SIGNS_OF_LIFE = frozenset({"keepalive", "keep-alive", "heartbeat", "ping"})
"""The names that a chunk has in the place of a model if it only keeps the connection alive."""

NUMBERS = (int, float)
"""The types of numbers; a truth value is none of them."""

REASONING = (
    *("reasoning_content", "reasoning", "reasoning_text", "thinking"),
    *("reasoning_summary", "thinking_content", "thought", "thoughts", "reasoningContent", "cot_summary"),
    "tool_plan",  # Cohere
)
"""The fields of reasoning text, best first: some servers send the same text in several of them."""

DETAILS = ("reasoning_details", "thinking_blocks")
"""The fields of reasoning items, which also hold what the provider wants back (OpenRouter, LiteLLM)."""

THINKING = frozenset({*REASONING, *DETAILS})

CALLS = ("tool_calls", "tool_call", "toolCalls")
"""The fields of tool calls."""

OWN = "provider_specific_fields"
"""The field of a delta in which LiteLLM puts those that OpenAI does not have."""

KINDS = {
    **dict.fromkeys(THINKING, "reasoning"),
    **dict.fromkeys(("content", "refusal", "images", "audio"), "text"),
    **dict.fromkeys((*CALLS, "function_call"), "calls"),
}
"""The kind of words in each field of a delta."""

PLACES = ("text", "thinking", "summary", "content", "reasoningText")
"""The keys under which the text of an object is found, best first."""


def kinds_of(delta: dict[str, Any]) -> set[str]:
    """Returns the kinds of words in a delta."""
    delta = with_numbers_as_text(delta)
    return {KINDS[field] for field in KINDS if delta.get(field)}


def with_numbers_as_text(delta: dict[str, Any]) -> dict[str, Any]:
    """Returns the delta with text for each number: some servers send the token `0.5` as the number (Workers AI)."""
    for value in delta.values():
        if type(value) in NUMBERS:
            return {field: text_of(value) if type(value) in NUMBERS else value for field, value in delta.items()}
    return delta


def is_nothing(wire: Any) -> bool:
    """Returns True for null, and for a word that stands in its place."""
    return str(wire).strip().lower() in NOTHING


def has_words(delta: Any) -> bool:
    """Returns True if a delta is an object with words."""
    return isinstance(delta, dict) and bool(kinds_of(delta))


def words_of(wire: Any, depth: int = 4) -> str:
    """Returns the text of a reasoning detail or a content item, at any of the places where servers put it."""
    if isinstance(wire, str):
        return wire
    if type(wire) in NUMBERS:
        return text_of(wire)
    if isinstance(wire, list) and depth:
        return "".join(words_of(item, depth - 1) for item in wire)
    if isinstance(wire, dict) and depth:
        return next((words for key in PLACES if (words := words_of(wire.get(key), depth - 1))), "")
    return ""


def with_inner(wire: Any) -> list[dict[str, Any]]:
    """Returns an object, and the objects that are its values; nothing if `wire` is none."""
    return [each for each in (wire, *wire.values()) if isinstance(each, dict)] if isinstance(wire, dict) else []


def thought_of(delta: dict[str, Any]) -> tuple[str, str]:
    """Returns the best field that has reasoning text, and the text."""
    for field in REASONING:
        if (wire := delta.get(field)) and (text := words_of(wire)):
            return field, text
    return "", ""
