"""Runs the engine's tests again in a process of their own, on each store that a site may have."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.backing import Backing

ROOT = Path(__file__).resolve().parents[2]
ENGINE = (
    "tests/access/test_visitors.py",
    "tests/intake/test_accept.py",
    "tests/intake/test_edits.py",
    "tests/models/test_clock.py",
    "tests/runner/test_abandon.py",
    "tests/runner/test_ending.py",
    "tests/runner/test_retries.py",
    "tests/runner/test_run.py",
    "tests/settlement/test_reaper.py",
    "tests/settlement/test_receivers.py",
    "tests/subscription/test_deleted.py",
    "tests/subscription/test_subscription.py",
    "tests/supervisor/test_leases.py",
    "tests/supervisor/test_stop.py",
    "tests/supervisor/test_supervisor.py",
    "tests/supervisor/test_ticker.py",
    "tests/views/test_named_cursors.py",
)
READING = (
    "tests/admin/test_transcript.py",
    "tests/files/test_for_provider.py",
    "tests/intake/test_accept.py",
    "tests/intake/test_branches.py",
    "tests/intake/test_continuation.py",
    "tests/intake/test_edits.py",
    "tests/settlement/test_reaper.py",
    "tests/subscription/test_subscription.py",
    "tests/views/test_api.py",
    "tests/views/test_pages.py",
)
LOCKS = "tests/intake/test_branches.py::test_branch_change_and_message_at_once_happen_one_after_the_other"
FILES = ("tests/files/test_uploads.py", "tests/views/test_files.py")
ANY_VALUE = "tests/archive/test_wrong_archives.py::test_any_value_in_any_column_is_imported_or_named"
OPERATIONS = (
    "tests/archive/test_round_trip.py",
    "tests/archive/test_pruning.py",
    "tests/costs/test_ledger.py",
    "tests/costs/test_ledger_of_running.py",
    "tests/management/test_usage.py",
    ANY_VALUE,
)
ADMIN = ("tests/admin/test_search.py", "tests/admin/test_filters.py", "tests/admin/test_usage.py")
CONTRACT = "tests/journal/test_contract.py"
EVERY_AWAIT = "tests/faults/test_every_await.py"
PROMPT_CACHE = "tests/runner/test_prompt_cache.py"  # PostgreSQL returns the keys of an object in another order

pytestmark = [pytest.mark.long, pytest.mark.slow, pytest.mark.timeout(900)]


def run_tests(paths: Sequence[str], *options: str, **environment: str) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *paths, *options]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]


@pytest.mark.parametrize(
    ("server_name", "more"), [("postgres_server", [EVERY_AWAIT, PROMPT_CACHE]), ("mariadb_server", [])]
)
def test_on_another_database(request: pytest.FixtureRequest, server_name: str, more: list[str]) -> None:
    server: Backing = request.getfixturevalue(server_name)
    paths = [*ENGINE, *ADMIN, *FILES, *OPERATIONS, LOCKS, CONTRACT, *more]
    chosen = "not redis and not time_zone_of_its_own" if server_name == "mariadb_server" else "not redis"
    run_tests(paths, "-k", chosen, TEST_DATABASE_URL=server.url)  # the tests' MariaDB has no tables of time zones


def test_with_reads_from_a_replica_that_is_behind() -> None:
    run_tests(READING, TEST_REPLICA="1")


def test_lists_of_staff_are_quick_with_many_rows(postgres_server: Backing) -> None:
    run_tests(["tests/admin/many_rows.py"], "-p", "no:randomly", TEST_DATABASE_URL=postgres_server.url)


def test_with_redis(redis_server: Backing) -> None:
    run_tests(ENGINE, "-m", "not journal_rows", TEST_REDIS_URL=redis_server.url)
