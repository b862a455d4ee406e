"""Parts: they survive JSON, and only JSON that was made of parts is read."""

from __future__ import annotations

import json

import msgspec
import pytest

from streaming.protocol import (
    FilePart,
    OpaquePart,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolApproval,
    ToolCall,
    ToolResult,
    Turn,
    dump_parts,
    is_of_another_version,
    load_parts,
    readable_parts,
    text_of,
)
from streaming.protocol.parts import ANOTHER_VERSION
from streaming.protocol.requests import repair

EVERYTHING: tuple[Part, ...] = (
    ReasoningPart(text="hm", signature="sig", raw={"type": "reasoning"}),
    TextPart(text="Grüße\n\n世界 🎈", citations=({"url": "https://example.org", "title": "An example"},)),
    ToolCall(id="c1", name="f", raw_arguments='{"a":1}', arguments={"a": 1}, is_complete=True),
    ToolCall(id="c2", name="g", raw_arguments='{"a":', error="truncated"),
    ToolCall(id="c3", name="shell", raw_arguments="ls -l", is_complete=True, is_json=False),
    ToolCall(id="s", name="search", raw_arguments="{}", arguments={}, is_complete=True, is_provider_executed=True),
    ToolResult(call_id="s", output=["found"], is_provider_executed=True),
    ToolResult(call_id="c1", output={"sky": "clear"}),
    ToolApproval(call_id="c3", is_approved=False),
    FilePart(media_type="image/png", url="https://example.org/a.png", filename="a.png"),
    RefusalPart(text="no"),
    OpaquePart(raw={"type": "x"}),
    TextPart(text="end"),
)


def test_parts_survive_json():
    assert load_parts(json.loads(json.dumps(dump_parts(EVERYTHING)))) == EVERYTHING


def test_every_class_of_part_is_among_them():
    assert {type(part) for part in EVERYTHING} == set(Part.__args__)


def test_json_has_only_what_a_part_says():
    assert dump_parts((TextPart(text="a"),)) == [{"type": "text", "text": "a"}]


@pytest.mark.parametrize(
    "raw", [[{}], [{"type": "text"}], [{"type": "hologram"}], [{"type": "text", "text": 7}], ["x"]]
)
def test_json_that_is_no_part_is_refused(raw):
    with pytest.raises(msgspec.ValidationError):
        load_parts(raw)


def test_part_of_another_version_is_opaque_and_stored_unchanged():
    raw = [{"type": "text", "text": "a"}, {"type": "hologram", "x": [1]}, {"type": "text", "text": "b"}]
    parts = readable_parts(raw)
    assert [type(part) for part in parts] == [TextPart, OpaquePart, TextPart]
    assert is_of_another_version(parts[1])
    assert dump_parts(parts) == raw


@pytest.mark.parametrize("raw", [None, 7, {"type": "text", "text": "a"}, "x"])
def test_what_is_no_list_of_parts_is_one_opaque_part(raw):
    (part,) = readable_parts(raw)
    assert part == TextPart(text="a") or is_of_another_version(part)


def test_part_of_another_version_goes_to_no_provider():
    hologram = OpaquePart(raw={"type": "container_upload"}, origin=ANOTHER_VERSION)
    assert not repair([Turn(role="user", parts=(hologram,))])


def test_text_of_parts_is_that_of_the_text_parts():
    assert text_of(EVERYTHING) == "Grüße\n\n世界 🎈end"
