"""The telemetry of a generation: one span around the run, one around each step, request and tool call.

The log names an answer that failed, for a site without telemetry.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from streaming.access import redacted
from streaming.models import FAILURES, Generation, Status
from streaming.protocol import GenerationRequest, TextPart, ToolCall, ToolResult, Transcript, Usage, text_of
from streaming.providers import Provider
from streaming.records import tries_of
from streaming.telemetry import VENDORS, Span, measure, messages_in, parts_in, span

logger = logging.getLogger(__name__)


async def observed(work: Coroutine[Any, Any, None], generation: Generation, parent: Any) -> None:
    """Runs a generation inside its span. `parent` is the telemetry's context of the request that started it."""
    began = time.monotonic()
    ids = {"generation": str(generation.pk), "conversation": generation.conversation.key}
    with span("generation", generation.provider, parent=parent, agent=generation.provider, **ids) as whole:
        await work
        _log_failure(generation)
        if whole.is_recording:
            whole.set(
                status=generation.status,
                attempts=generation.attempts,
                response_model=generation.model,
                provider=generation.provider,
                tried=[f"{one.provider} {one.outcome}" for one in tries_of(generation.tried) or ()] or None,
                input_tokens=generation.input_tokens,
                output_tokens=generation.output_tokens,
                cached_input_tokens=generation.cached_input_tokens,
                reasoning_tokens=generation.reasoning_tokens,
            )
            if generation.status in FAILURES:
                whole.fail(generation.error_code)
    measure("generation", time.monotonic() - began, "generation")


def _log_failure(generation: Generation) -> None:
    """Logs the code of a failure. The provider's own words may be content, so they are for staff, in the admin."""
    if generation.status in (Status.FAILED, Status.TRUNCATED):
        ended = (generation.pk, generation.status, generation.error_code, generation.provider)
        logger.warning("Generation %s %s (%s, provider %r). The admin has the details.", *ended)


class Inference:
    """The telemetry of one request to a provider."""

    def __init__(self, opened: Span) -> None:
        self._span = opened
        self._began = time.monotonic()
        self._first: float | None = None

    def heard(self) -> None:
        """Notes that readers see something of the answer. Later calls change nothing."""
        if self._first is None:
            self._first = time.monotonic() - self._began

    def end(self, provider: Provider, transcript: Transcript) -> None:
        """Tells what the provider said."""
        vendor, usage = VENDORS.get(provider.dialect), transcript.usage or Usage()
        labels = {"gen_ai.provider.name": vendor, "gen_ai.request.model": provider.model}
        measure("duration", time.monotonic() - self._began, "inference", **labels)
        measure("first", self._first, "inference", **labels)
        measure("input", usage.input_tokens, "inference", **labels)
        measure("output", usage.output_tokens, "inference", **labels)
        if self._span.is_recording:
            self._tell(transcript, usage)

    def _tell(self, transcript: Transcript, usage: Usage) -> None:
        reason = transcript.finish_reason
        self._span.set(
            response_id=transcript.id,
            response_model=transcript.model,
            finish_reasons=[reason] if reason else None,
            first_seconds=self._first,
            input_tokens=usage.input_tokens,
            output_tokens=usage.output_tokens,
            cached_input_tokens=usage.cached_input_tokens,
            cache_write_tokens=usage.cache_write_tokens,
            reasoning_tokens=usage.reasoning_tokens,
        )
        if self._span.takes_content:
            parts = parts_in(redacted(transcript.parts))
            answer = {"role": "assistant", "parts": parts, "finish_reason": reason or "error"}
            self._span.set(output_content=[answer])


@contextmanager
def inference(provider: Provider, request: GenerationRequest, attempt: int) -> Iterator[Inference]:
    """Opens the span of one request to a provider."""
    vendor = VENDORS.get(provider.dialect)
    model = provider.model
    with span("inference", model, vendor=vendor, request_model=model, is_stream=True, attempt=attempt) as opened:
        if opened.takes_content:
            turns = [msgspec.structs.replace(turn, parts=redacted(turn.parts)) for turn in request.turns]
            system = text_of(redacted((TextPart(text=request.system),))) if request.system else None
            opened.set(system_content=system, input_content=messages_in(turns))
        yield Inference(opened)


@contextmanager
def tool_span(call: ToolCall) -> Iterator[Span]:
    """Opens the span of one tool call."""
    began = time.monotonic()
    told = {"tool_name": call.name, "tool_call_id": call.id, "tool_type": "function"}
    with span("tool", call.name, **told) as opened:
        if opened.takes_content:
            for shown in redacted((call,)):
                opened.set(arguments_content=getattr(shown, "arguments", None))
        yield opened
    measure("tool", time.monotonic() - began, "tool", **{"gen_ai.tool.name": call.name})


def tell_result(opened: Span, result: ToolResult) -> None:
    """Adds the result of a tool call to its span."""
    if opened.takes_content:
        for shown in redacted((result,)):
            opened.set(result_content=getattr(shown, "output", None))
