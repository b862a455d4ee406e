"""Outputs: an answer as an object of a type, instead of text.

    wanted = OutputType.of(Recipe)          # a Struct, dataclass, TypedDict, pydantic model, or any type of these
    wanted.spec                             # what the provider is asked for
    reader = ObjectReader(wanted)           # the object so far, while the text arrives
    judge(wanted, parts, finish_reason)     # the object, or why there is none

The text of the answer is stored as it came. Nothing here changes it.
"""

from __future__ import annotations

from streaming.outputs.asking import HINT, Asks, asked_by, marked, problem_of, spec_for
from streaming.outputs.extract import JSONText
from streaming.outputs.live import ObjectText
from streaming.outputs.reader import NOTHING, TICK_SECONDS, ObjectReader
from streaming.outputs.types import OutputType
from streaming.outputs.unwrap import Unwrapped
from streaming.outputs.verdict import Verdict, judge

__all__ = [
    "HINT",
    "NOTHING",
    "TICK_SECONDS",
    "Asks",
    "JSONText",
    "ObjectReader",
    "ObjectText",
    "OutputType",
    "Unwrapped",
    "Verdict",
    "asked_by",
    "judge",
    "marked",
    "problem_of",
    "spec_for",
]
