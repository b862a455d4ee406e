"""The figures of a run of the fault tests, one JSON line each, in the file that `FAULT_FIGURES` names.

Tests note what they measured. Each test that has a `fault` mark is noted when it has passed, in any directory.
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
    """`figure(generations=60)` notes what a test measured, for the test's first fault or for the one that is given."""

    def measured(fault: str = "", **numbers: Any) -> None:
        fault = fault or request.node.get_closest_marker("fault").args[0]
        print(f"{fault} {numbers}")
        note(request.node, fault, **numbers)

    return measured


def note(item: pytest.Item, fault: str, **numbers: Any) -> None:
    """Writes a line about `fault` by this test."""
    if FIGURES:
        with Path(FIGURES).open("a") as file:
            file.write(json.dumps({"fault": fault, "test": item.nodeid, **numbers}) + "\n")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Notes each fault whose test has passed."""
    report = yield
    if report.when == "call" and report.passed and (marker := item.get_closest_marker("fault")):
        for fault in marker.args:
            note(item, fault, passed=1, seconds=round(report.duration, 1))
    return report
