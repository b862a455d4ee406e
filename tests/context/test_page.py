"""The page about long conversations: its settings pass the checks, its function works, and its tables are complete."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from streaming.checks.providers import check_providers
from streaming.context import POLICIES, VENDOR_BODIES, Asked, ContextOptions, Sent
from streaming.protocol import Turn
from tests.context.histories import exchange, question

PAGE = (Path(__file__).resolve().parents[2] / "docs/long-conversations.md").read_text()
SNIPPETS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def run(snippet: str) -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(snippet, names)
    return names


@pytest.mark.parametrize("snippet", [one for one in SNIPPETS if one.startswith("STREAMING_PROVIDERS")])
def test_settings_of_the_page_pass_the_checks(snippet: str, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "k")
    settings.STREAMING_PROVIDERS = run(snippet)["STREAMING_PROVIDERS"]
    assert check_providers() == []


def test_function_of_the_page_returns_the_newest_turns() -> None:
    [snippet] = [one for one in SNIPPETS if "def newest_twenty" in one]
    turns: list[Turn] = [turn for number in range(20) for turn in exchange(number, "text", 1)]
    asked = Asked((*turns, question("now")), "default", "c1", None, len)
    assert len(run(snippet)["newest_twenty"](asked)) == 20


def test_page_names_every_option_policy_dialect_and_field() -> None:
    rows = re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)
    assert rows == [*ContextOptions.__struct_fields__]
    for word in (*POLICIES, *VENDOR_BODIES, *Sent.__struct_fields__):
        assert word in PAGE
