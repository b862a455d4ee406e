"""The sans-IO core: a provider's bytes to typed events, and events to an answer.

No Django, no asyncio, no SDK, no socket: this package runs in any Python program.
"""

from __future__ import annotations

from streaming.protocol.parser import StreamParser
from streaming.protocol.transcript import Transcript

__all__ = ["StreamParser", "Transcript"]
