"""OpenTelemetry: spans and metrics by its conventions for generative AI. Without `STREAMING_TELEMETRY` nothing happens.

    with span("tool", call.name, tool_name=call.name, tool_call_id=call.id) as open_span:
        …
        open_span.set(error="timeout")

Nothing of OpenTelemetry is imported before it is used. `names` has every name that leaves the process.
"""

from __future__ import annotations

from streaming.telemetry.content import messages_in, parts_in
from streaming.telemetry.instruments import here, measure, watch
from streaming.telemetry.names import VENDORS
from streaming.telemetry.spans import Span, span

__all__ = ["VENDORS", "Span", "here", "measure", "messages_in", "parts_in", "span", "watch"]
