"""The part of reading that all dialects share: writing the ordered events of one answer.

A dialect calls an `AnswerWriter`, and a `Prose` or `Call` for each part. These number the parts, make the events and
keep the order that `streaming.protocol.events` promises.
"""

from __future__ import annotations

from streaming.protocol.dialects.answer.arguments import Arguments, extends, is_same, repeats, text_of
from streaming.protocol.dialects.answer.call import PLACEHOLDER, SERVER_ID, Call
from streaming.protocol.dialects.answer.prose import Prose, continued
from streaming.protocol.dialects.answer.reasons import FAILURE_REASONS, failure_of, meaning_of
from streaming.protocol.dialects.answer.think_tags import CLOSING as CLOSING_TAGS
from streaming.protocol.dialects.answer.think_tags import unfinished_tag
from streaming.protocol.dialects.answer.tool_names import name_of
from streaming.protocol.dialects.answer.usage import read_usage
from streaming.protocol.dialects.answer.verdict import judge
from streaming.protocol.dialects.answer.writer import AnswerWriter, StreamTooLarge

__all__ = [
    "CLOSING_TAGS",
    "FAILURE_REASONS",
    "PLACEHOLDER",
    "SERVER_ID",
    "AnswerWriter",
    "Arguments",
    "Call",
    "Prose",
    "StreamTooLarge",
    "continued",
    "extends",
    "failure_of",
    "is_same",
    "judge",
    "meaning_of",
    "name_of",
    "read_usage",
    "repeats",
    "text_of",
    "unfinished_tag",
]
