"""What a run of the fault tests finds, one JSON line each in the file that `FAULT_FIGURES` names.

Tests note what they measured; of each test that is done to a fault, wherever it stands, it is noted that it passed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest

FIGURES = os.environ.get("FAULT_FIGURES", "")


@pytest.fixture
def figure(request: pytest.FixtureRequest) -> Callable[..., None]:
    """`figure(generations=60)`: what a test measured. The fault is the test's, or the one named first."""

    def measured(fault: str = "", **numbers: Any) -> None:
        fault = fault or request.node.get_closest_marker("fault").args[0]
        print(f"{fault} {numbers}")
        note(request.node, fault, **numbers)

    return measured


def note(item: pytest.Item, fault: str, **numbers: Any) -> None:
    """A line about `fault` by this test."""
    if FIGURES:
        with Path(FIGURES).open("a") as file:
            file.write(json.dumps({"fault": fault, "test": item.nodeid, **numbers}) + "\n")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note each fault that a test has survived."""
    report = yield
    if report.when == "call" and report.passed and (marker := item.get_closest_marker("fault")):
        for fault in marker.args:
            note(item, fault, passed=1, seconds=round(report.duration, 1))
    return report
