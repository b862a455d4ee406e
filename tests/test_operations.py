"""Checks docs/operations.md: its settings pass the checks, its names are those of the code."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.core.management import get_commands

from streaming.archive import FORMATS
from streaming.costs import GROUPS
from streaming.models import Owner
from streaming.telemetry.names import ATTRIBUTES, GAUGES, LATEST_ATTRIBUTES, METRICS, SPANS
from streaming.views.health import GAUGES as METRICS_OF_HEALTH
from tests.checks import messages

PAGE = (Path(__file__).resolve().parent.parent / "docs/operations.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def values_of(*names: str) -> dict[str, Any]:
    """The values that the page's Python gives to these names."""
    found: dict[str, Any] = {}
    for block in BLOCKS:
        if any(f"{name} = " in block or f"def {name}(" in block for name in names):
            exec(block, found)
    assert set(names) <= set(found)
    return {name: found[name] for name in names}


def test_settings_that_the_page_shows_pass_the_checks() -> None:
    settings = values_of("STREAMING_PRICES", "STREAMING_BUDGETS", "STREAMING_TELEMETRY")
    pytest.importorskip("opentelemetry")
    assert messages(**settings) == []


def test_quota_that_the_page_shows_refuses_visitors_the_expensive_model() -> None:
    may_ask = values_of("may_ask")["may_ask"]
    assert may_ask(Owner.of_user(1), "expensive") is None
    assert may_ask(Owner.of_visitor("v"), "default") is None
    assert may_ask(Owner.of_visitor("v"), "expensive") == "Sign in to ask this model."


def test_commands_that_the_page_shows_exist() -> None:
    named = set(re.findall(r"manage\.py (\w+)", PAGE))
    assert named
    assert {name for name in named if get_commands().get(name) != "streaming"} == set()
    assert all(f"--{option}" in PAGE for option in ("skip-bad", "keep-flagged", "unredacted", "silence", "json"))


def test_page_names_every_metric_span_format_and_group() -> None:
    ours = re.findall(r"^\| `(streaming_\w+)[`{]|`, `(streaming_database_seconds)`", PAGE, re.MULTILINE)
    assert {one or other for one, other in ours} >= set(METRICS_OF_HEALTH) - {"streaming_database_seconds"}
    told = {metric.released for metric in METRICS.values()} | {name for name, _ in GAUGES.values()}
    told |= {span.operation for span in SPANS.values()} | set(LATEST_ATTRIBUTES.values())
    told |= {ATTRIBUTES["error"], *FORMATS}
    assert {name for name in told if name not in PAGE} == set()
    assert {group for group in GROUPS if group not in PAGE} == set()
