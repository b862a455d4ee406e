"""The tests that docs/testing.md shows. They are collected here, with the recording that the page makes by hand."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from streaming.testing import record

PAGE = (Path(__file__).resolve().parents[2] / "docs/testing.md").read_text()
TESTS = [block for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL) if "async def test_" in block]


@pytest.fixture(autouse=True)
async def paris(scripted_provider, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    scripted_provider(text="It is Paris.")
    await record("tests/recordings/paris.sse", "What is the capital of France?", alias="default")


for block in TESTS:
    exec(block, globals())


def test_page_has_tests():
    assert len(TESTS) == 3
