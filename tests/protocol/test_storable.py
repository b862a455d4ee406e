"""Values that every database can hold."""

from __future__ import annotations

import math
import sys
from typing import Any

import msgspec
import pytest

from streaming.models import Message
from streaming.protocol import TextDelta, TextPart, ToolCallEnded, ToolResult
from streaming.protocol.storable import MAX_LEVELS, REPLACEMENT, storable, storable_fields


def nested(levels: int) -> Any:
    value: Any = "innermost"
    for at in range(levels):
        value = {"in": value} if at % 2 else [value]
    return value


def test_nul_is_replaced_everywhere() -> None:
    assert storable({"a\0": ["b\0", 1, None]}) == {"a\ufffd": ["b\ufffd", 1, None]}


def test_half_a_surrogate_pair_is_replaced_everywhere_and_a_pair_is_joined() -> None:
    assert storable({"a\ud83d": ["\ude00", "\ud83d\ude00"]}) == {"a\ufffd": ["\ufffd", "\U0001f600"]}


def test_infinite_number_becomes_null_as_in_the_stream() -> None:
    value = {"a": [math.inf, -math.inf, math.nan, 1.5]}
    assert storable(value) == {"a": [None, None, None, 1.5]} == msgspec.json.decode(msgspec.json.encode(value))


def test_event_that_can_be_stored_is_kept_itself() -> None:
    event = TextDelta(0, "\u00e9")
    assert storable_fields(event) is event
    assert storable_fields(TextDelta(0, "\0", 1)) == TextDelta(0, REPLACEMENT, 1)
    ended = ToolCallEnded(0, "{}", {"a": "\0"}, is_complete=True)
    assert storable_fields(ended) == msgspec.structs.replace(ended, arguments={"a": REPLACEMENT})


@pytest.mark.parametrize("levels", [0, 1, MAX_LEVELS])
def test_value_within_the_nesting_limit_is_unchanged(levels: int) -> None:
    assert storable(nested(levels)) == nested(levels)


@pytest.mark.parametrize("levels", [MAX_LEVELS + 1, 500])
def test_value_beyond_the_nesting_limit_becomes_text(levels: int) -> None:
    inner = storable(nested(levels))
    for _ in range(MAX_LEVELS):
        (inner,) = inner.values() if isinstance(inner, dict) else inner
    assert msgspec.json.decode(inner) == nested(levels - MAX_LEVELS)


@pytest.mark.parametrize("levels", [500, 960, 5000])
def test_message_can_be_stored_however_deep_a_provider_nests(levels: int, caplog: pytest.LogCaptureFixture) -> None:
    message = Message()
    message.set_parts((TextPart(text="Hi"), ToolResult(call_id="c", output=nested(levels))))
    assert message.text == "Hi"
    assert (len(message.parts) == 2) or "left out" in caplog.text
    msgspec.json.encode(message.parts)


def test_value_too_deep_for_text_is_replaced() -> None:
    value = storable(nested(5000))
    if sys.version_info < (3, 12):  # later versions write text of any depth
        assert REPLACEMENT in str(value)
    msgspec.json.encode(Message(parts=[value]).parts)
