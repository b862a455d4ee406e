"""The names of spans, attributes and metrics.

The conventions moved in 2026. "released" are the names of `opentelemetry-semantic-conventions` 0.66b2 and of the
instrumentations on PyPI at that time. "latest" are those of the repository `open-telemetry/semantic-conventions-genai`
after its change #521 (September 2026), which renamed the metrics of clients and the cache writes. Neither is stable
yet. Names that begin with `streaming.` are our own.
"""

from __future__ import annotations

from typing import NamedTuple

RELEASED, LATEST = "released", "latest"


class SpanName(NamedTuple):
    """The name of spans of one kind, before their subject. `is_client` is True if the span is a call to elsewhere."""

    operation: str
    is_client: bool = False


SPANS = {
    "submission": SpanName("streaming.submit"),
    "generation": SpanName("invoke_agent"),
    "step": SpanName("streaming.step"),
    "inference": SpanName("chat", is_client=True),
    "tool": SpanName("execute_tool"),
}
"""Our kinds of spans. A generation is what the conventions call an agent's invocation: several requests with tools."""

ATTRIBUTES = {
    "agent": "gen_ai.agent.name",
    "vendor": "gen_ai.provider.name",
    "conversation": "gen_ai.conversation.id",
    "request_model": "gen_ai.request.model",
    "is_stream": "gen_ai.request.stream",
    "response_id": "gen_ai.response.id",
    "response_model": "gen_ai.response.model",
    "finish_reasons": "gen_ai.response.finish_reasons",
    "first_seconds": "gen_ai.response.time_to_first_chunk",
    "input_tokens": "gen_ai.usage.input_tokens",
    "output_tokens": "gen_ai.usage.output_tokens",
    "cached_input_tokens": "gen_ai.usage.cache_read.input_tokens",
    "cache_write_tokens": "gen_ai.usage.cache_creation.input_tokens",
    "reasoning_tokens": "gen_ai.usage.reasoning.output_tokens",
    "tool_name": "gen_ai.tool.name",
    "tool_call_id": "gen_ai.tool.call.id",
    "tool_type": "gen_ai.tool.type",
    "system_content": "gen_ai.system_instructions",
    "input_content": "gen_ai.input.messages",
    "output_content": "gen_ai.output.messages",
    "arguments_content": "gen_ai.tool.call.arguments",
    "result_content": "gen_ai.tool.call.result",
    "error": "error.type",
    "generation": "streaming.generation.id",
    "provider": "streaming.provider",
    "tried": "streaming.tried",
    "status": "streaming.status",
    "attempts": "streaming.attempts",
    "number": "streaming.step.number",
    "attempt": "streaming.attempt.number",
}
"""Our name of an attribute -> its name in the conventions that are released."""

LATEST_ATTRIBUTES = {"cache_write_tokens": "gen_ai.usage.cache_write.input_tokens"}
"""The attributes that the latest conventions name otherwise."""

OPERATION = "gen_ai.operation.name"
TOKEN_TYPE = "gen_ai.token.type"  # noqa: S105  # no secret
CONTENT = "_content"
"""The end of our names of attributes with content. Only `STREAMING_TELEMETRY_CONTENT` lets them out."""


class Metric(NamedTuple):
    """A metric: its name in each of the conventions, and its unit. `is_tokens` is True if it counts tokens."""

    released: str
    latest: str
    unit: str
    is_tokens: bool = False


METRICS = {
    "duration": Metric("gen_ai.client.operation.duration", "gen_ai.client.inference.duration", "s"),
    "first": Metric("gen_ai.client.operation.time_to_first_chunk", "gen_ai.client.inference.time_to_first_chunk", "s"),
    "input": Metric(
        "gen_ai.client.token.usage", "gen_ai.client.inference.operation.input_tokens", "{token}", is_tokens=True
    ),
    "output": Metric(
        "gen_ai.client.token.usage", "gen_ai.client.inference.operation.output_tokens", "{token}", is_tokens=True
    ),
    "tool": Metric("gen_ai.execute_tool.duration", "gen_ai.execute_tool.duration", "s"),
    "generation": Metric("gen_ai.invoke_agent.duration", "gen_ai.invoke_agent.duration", "s"),
}
"""Our names of the histograms."""

GAUGES = {
    "running": ("streaming.generations.running", "{generation}"),
    "open_streams": ("streaming.streams.open", "{stream}"),
    "journal_lag": ("streaming.journal.lag", "s"),
    "open_breakers": ("streaming.breakers.open", "{breaker}"),
}
"""Our names of what is observed -> its name and its unit."""

SECONDS = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
TOKENS = (1, 4, 16, 64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304, 16_777_216, 67_108_864)
"""The boundaries of the histograms' buckets, as the conventions advise."""

VENDORS = {"openai-chat": "openai", "openai-responses": "openai", "anthropic-messages": "anthropic"}
"""A dialect -> the value of `gen_ai.provider.name`. The conventions name a compatible server by its format."""
