"""What all dialects share: they turn what the wire meant into the ordered events of one answer.

A dialect calls the `AnswerWriter`, its `Prose` and its `Call`s; these make the events, number the parts and keep the
promised order.
"""

from __future__ import annotations

from streaming.protocol.dialects.answer.call import PLACEHOLDER, Call, judge
from streaming.protocol.dialects.answer.prose import Prose
from streaming.protocol.dialects.answer.reasons import FAILURE_REASONS
from streaming.protocol.dialects.answer.usage import read_usage
from streaming.protocol.dialects.answer.writer import AnswerWriter, StreamTooLarge

__all__ = ["FAILURE_REASONS", "PLACEHOLDER", "AnswerWriter", "Call", "Prose", "StreamTooLarge", "judge", "read_usage"]
