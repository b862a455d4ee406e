"""What all dialects share: they turn what the wire meant into the ordered events of one answer.

A dialect calls the `Answer`, its `Prose` and its `Call`s; these make the events, number the parts and keep the
promised order.
"""

from __future__ import annotations

from streaming.protocol.dialects.answer.answer import Answer, TooLarge
from streaming.protocol.dialects.answer.call import PLACEHOLDER, Call, judge
from streaming.protocol.dialects.answer.prose import Prose
from streaming.protocol.dialects.answer.reasons import FAILURES
from streaming.protocol.dialects.answer.usage import read_usage

__all__ = ["FAILURES", "PLACEHOLDER", "Answer", "Call", "Prose", "TooLarge", "judge", "read_usage"]
