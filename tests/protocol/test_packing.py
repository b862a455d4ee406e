"""Packing: text that stays in memory is smaller, and comes back as it was."""

from __future__ import annotations

import random

import pytest

from streaming.protocol.packing import HARD, MAX_BYTES, QUICK, pack, unpack


@pytest.mark.parametrize("level", [QUICK, HARD])
@pytest.mark.parametrize("text", [b"", b"a", "世界 🎈".encode() * 500, random.Random(1).randbytes(MAX_BYTES + 1)])
def test_text_comes_back_as_it_was(text, level):
    assert unpack(pack(text, level)) == unpack(pack(bytearray(text), level)) == text


def test_ordinary_text_is_halved():
    assert len(pack(b"The stream ends, and what was said is kept. " * 40)) < 20 * 44


def test_text_over_the_bound_is_not_compressed_because_that_takes_long():
    assert len(pack(b"a" * (MAX_BYTES + 1))) > MAX_BYTES
