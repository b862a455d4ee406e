"""The fields of a delta, and the words within them."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from typing import Any

from streaming.protocol.dialects.answer import text_of
from streaming.protocol.dialects.wire import object_of

JSONObject = dict[str, Any]

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

APART = "provider_specific_fields"
"""The field of a delta in which LiteLLM puts those that OpenAI does not have."""

KINDS = {
    **dict.fromkeys(THINKING, "reasoning"),
    **dict.fromkeys(("content", "refusal", "images", "audio"), "text"),
    **dict.fromkeys((*CALLS, "function_call"), "calls"),
}
"""The kind of words in each field of a delta."""

PLACES = ("text", "thinking", "summary", "content", "reasoningText")
"""The keys under which the text of an object is found, best first."""


def normal(delta: JSONObject) -> JSONObject:
    """Returns the fields that have a value, also those that stand apart. A number is text: `0.5` may be a token."""
    given: Iterable[tuple[str, Any]] = delta.items()
    if APART in delta:
        given = chain(object_of(delta[APART]).items(), given)
    fields: JSONObject = {}
    for field, value in given:
        if type(value) in NUMBERS:
            fields[field] = text_of(value)
        elif value:
            fields[field] = value
    return fields


def kinds_of(delta: JSONObject) -> set[str]:
    """Returns the kinds of words in a delta."""
    return {KINDS[field] for field in KINDS.keys() & normal(delta)}


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


def thought_of(delta: JSONObject) -> tuple[str, str]:
    """Returns the best field that has reasoning text, and the text."""
    for field in REASONING:
        if (wire := delta.get(field)) and (text := words_of(wire)):
            return field, text
    return "", ""
