"""Lenient SSE: it reads the events that a model's server meant to send, even if the server breaks the standard.

Strict reading (`sse`) loses data of many servers, so this decoder departs from the standard where `Leniency` says so.
"""

from __future__ import annotations

from streaming.protocol.lenient_sse.decoder import LenientDecoder
from streaming.protocol.lenient_sse.leniency import Leniency, leniency_of
from streaming.protocol.lenient_sse.unframed import MAX_BODY_BYTES
from streaming.protocol.lenient_sse.wire_event import DATA, WireEvent, WireEventKind

__all__ = ["DATA", "MAX_BODY_BYTES", "Leniency", "LenientDecoder", "WireEvent", "WireEventKind", "leniency_of"]
