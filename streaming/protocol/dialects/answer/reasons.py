"""Why an answer ended: every wire's word for it, and ours."""

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
    # OpenAI Responses: a status, or the reason of an incomplete one
    "completed": "stop",
    "max_output_tokens": "length",
    # compatible servers
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
"""Words in the place of a finish reason that say the answer broke (OpenRouter, Z.ai, DeepSeek)."""


def finish_reason_of(raw: str | None, *, has_refused: bool, has_called: bool) -> FinishReason:
    """One word for one meaning. Many servers, OpenAI among them, say `stop` although they call tools or refuse."""
    reason = REASONS.get((raw or "").lower(), "other")
    if reason == "stop" and has_called:
        return "tool_calls"
    if reason == "stop" and has_refused:
        return "refusal"
    return reason
