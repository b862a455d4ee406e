"""What all tests share: the modules with their fixtures, and the rule that CI skips nothing.

A test whose peer cannot be had on this machine (a browser, a server) skips and says why; pytest's summary lists it.
With `CI=true` the same skip is a failure, so that a missing package in CI does not pass for a green run. Only a test
marked `optional` may skip there: it reads what a clone does not carry.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path

import pytest
from django.conf import settings

pytest_plugins = [
    "tests.backing",
    "tests.engine",
    "tests.faults.figures",
    "tests.local_model",
    "tests.peers",
    "tests.stepwise",
]

IN_CI = os.environ.get("CI", "").lower() == "true"


def _fail_if_skipped(report: pytest.TestReport | pytest.CollectReport) -> None:
    if report.skipped and not hasattr(report, "wasxfail") and isinstance(report.longrepr, tuple):
        path, line, reason = report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{path}:{line}: skipped, but with CI=true every test must run ({reason})"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if IN_CI and item.get_closest_marker("optional") is None:
        _fail_if_skipped(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    if IN_CI:
        _fail_if_skipped(report)
    return report


def pytest_unconfigure() -> None:
    """SQLite's side files stay behind when a thread held a connection as the test database was removed."""
    for suffix in ("", "-wal", "-shm"):
        Path(f"{settings.DATABASE_FILE}{suffix}").unlink(missing_ok=True)
