"""Finish reasons: the words of all providers, and one word for each meaning."""

from __future__ import annotations

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
    "eos": "stop",
    "eos_token": "stop",
    "complete": "stop",
    "model_length": "length",  # Mistral
    "tool_call": "tool_calls",
    "safety": "content_filter",  # Gemini
    "recitation": "content_filter",
    "prohibited_content": "content_filter",
    "blocklist": "content_filter",
    "sensitive": "content_filter",  # Z.ai
}

FAILURE_REASONS = frozenset({"error", "network_error", "insufficient_system_resource"})
"""Finish reasons that mean that the answer broke off with an error (OpenRouter, Z.ai, DeepSeek)."""


def finish_reason_of(raw: str | None, *, has_refused: bool, has_called: bool) -> FinishReason:
    """Returns our word for the reason `raw`. Many servers, also OpenAI, send `stop` with tool calls or a refusal."""
    reason = REASONS.get((raw or "").lower(), "other")
    if reason == "stop" and has_called:
        return "tool_calls"
    if reason == "stop" and has_refused:
        return "refusal"
    return reason
