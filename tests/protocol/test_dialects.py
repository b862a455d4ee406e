"""The table of dialects: one entry for each, in both directions."""

from __future__ import annotations

from typing import get_args

import msgspec
import pytest

from streaming.protocol import DialectName, GenerationRequest, StreamParser, TextPart, Turn, encode
from streaming.protocol.dialects import DIALECTS

HELLO = GenerationRequest(model="m", turns=(Turn(role="user", parts=(TextPart(text="Hello"),)),))


def test_dialects_are_those_that_the_documentation_names():
    assert set(DIALECTS) == set(get_args(DialectName)) == {"anthropic-messages", "openai-chat", "openai-responses"}


@pytest.mark.parametrize("name", DIALECTS)
def test_dialect_reads_streams_and_writes_bodies(name):
    assert not StreamParser(name).is_over
    assert encode(name, HELLO) == DIALECTS[name].body(HELLO)
    assert encode(name, HELLO)["stream"] is True


@pytest.mark.parametrize("name", DIALECTS)
def test_every_field_of_a_payload_has_a_default(name):
    kind = DIALECTS[name].stream.payload
    assert msgspec.json.decode(b"{}", type=kind) == kind()


def test_unknown_dialect_has_no_body():
    with pytest.raises(KeyError):
        encode("opnai", HELLO)
