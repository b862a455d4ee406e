"""Finish reasons: the words of all providers, and one word for each meaning."""

from __future__ import annotations

import re

from streaming.protocol.error_codes import code_of_error
from streaming.protocol.events import FinishReason

REASONS: dict[str, FinishReason] = {
    # OpenAI Chat
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
    # Anthropic
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "refusal",
    "guardrail_intervened": "content_filter",  # Bedrock
    # OpenAI Responses: a status, or the reason why a response is incomplete
    "completed": "stop",
    "max_output_tokens": "length",
    # Compatible servers
    **dict.fromkeys(
        (
            *("eos", "eos_token", "eos_found", "eot", "end_of_text", "end_sequence", "stop_token", "stopped"),
            *("complete", "done", "end", "finish", "finished", "normal", "success"),
        ),
        "stop",
    ),
    "model_length": "length",  # Mistral
    **dict.fromkeys(
        (
            *("max_length", "max_new_tokens", "max_completion_tokens", "token_limit"),
            *("context_length", "context_length_exceeded", "context_window_exceeded"),
            *("max_tokens_exceeded", "length_limit", "output_limit", "limit", "truncated"),
        ),
        "length",
    ),
    "error_limit": "length",  # Cohere
    **dict.fromkeys(("tool_call", "toolcalls", "toolcall", "tool", "function", "function_calls"), "tool_calls"),
    "sensitive": "content_filter",  # Z.ai
    "error_toxic": "content_filter",  # Cohere
    **dict.fromkeys(
        (
            *("safety", "recitation", "prohibited_content", "blocklist", "spii", "model_armor"),  # Gemini
            *("image_safety", "image_prohibited_content", "image_recitation"),
            *("content_filtered", "content_policy_violation", "content_policy", "policy_violation"),
            *("moderation", "censored", "blocked", "guardrail", "filtered", "safety_filter"),
        ),
        "content_filter",
    ),
}

FAILURE_REASONS = frozenset(
    {
        *("error", "network_error", "insufficient_system_resource"),  # OpenRouter, Z.ai, DeepSeek
        *("malformed_function_call", "unexpected_tool_call", "too_many_tool_calls"),  # Gemini
        *("function_call_filter", "malformed_response", "missing_thought_signature"),
        *("malformed_tool_use", "malformed_model_output"),  # Bedrock
        *("abort", "aborted", "cancelled", "canceled", "interrupted", "user_cancel"),  # vLLM, SGLang, Cohere, relays
        *("timeout", "failed", "failure", "exception", "server_error", "internal_error", "overloaded"),
    }
)
"""Finish reasons that mean that the answer broke off. `error_codes` has each of them."""

MAX_REASON_CHARS = 200  # a longer text is no reason, and a hostile one would cost much time
CAPITALS = re.compile(r"(?<=[a-z])(?=[A-Z])")
SEPARATORS = re.compile(r"[:/,;|.()\[\]]+")
SPACES = re.compile(r"[\s-]+")


def failure_of(raw: str | None) -> str | None:
    """Returns the word in `raw` that says that the answer broke off; None if it did not.

    Some servers send the word of an error. It counts unless another word of `raw` has a meaning.
    """
    words = _words(raw)
    errors = [word for word in words if code_of_error(word, None, "")] if meaning_of(raw) == "other" else []
    return next((word for word in words if word in FAILURE_REASONS), next(iter(errors), None))


def meaning_of(raw: str | None) -> FinishReason:
    """Returns our word for the reason `raw`: a word in any case, perhaps with a detail (`content_filter: SPII`)."""
    return next((REASONS[word] for word in _words(raw) if word in REASONS), "other")


def finish_reason_of(raw: str | None, *, has_refused: bool, has_called: bool) -> FinishReason:
    """Returns our word for the reason `raw`. Many servers, also OpenAI, send `stop` with tool calls or a refusal."""
    reason = meaning_of(raw)
    if reason == "stop" and has_called:
        return "tool_calls"
    if reason == "stop" and has_refused:
        return "refusal"
    return reason


def _words(raw: str | None) -> list[str]:
    spaced = CAPITALS.sub("_", (raw or "")[:MAX_REASON_CHARS])  # some servers write `toolCalls`
    parts = (SPACES.sub("_", part.strip()) for part in SEPARATORS.split(spaced.lower()))
    return [part.removeprefix("finish_reason_") for part in parts]
