"""The fixtures of all tests, and the rule that CI skips no test.

A test that needs a missing program (a browser, a server) skips and says why, and pytest's summary lists it. With
`CI=true` such a skip is a failure, so that CI cannot pass without the program. Only a test marked `optional` may skip
there, because it reads files that a clone does not have.
"""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import Generator
from pathlib import Path

import pytest
from django.conf import settings

pytest_plugins = [
    "tests.backing",
    "tests.emptying",
    "tests.engine",
    "tests.faults.figures",
    "tests.live.client",
    "tests.local_model",
    "tests.long_first",
    "tests.packages",
    "tests.peers",
    "tests.sent_files",
    "tests.stepwise",
    "tests.wrapped",
    "tests.agui.client",  # imports the others
]

IN_CI = os.environ.get("CI", "").lower() == "true"

# A shell ignores Ctrl-C in what it runs in the background, and so would the servers that tests end with Ctrl-C.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


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
    """Deletes the files of the SQLite database. Some remain if a thread had a connection when pytest deleted it."""
    for database, suffix in itertools.product(("", "-replica"), ("", "-wal", "-shm")):
        Path(f"{settings.DATABASE_FILE}{database}{suffix}").unlink(missing_ok=True)
