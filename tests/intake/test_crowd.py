"""Limits hold over all processes, on every database."""

from __future__ import annotations

import subprocess
import sys
import uuid
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pymysql
import pytest

from tests.backing import Backing
from tests.faults.stages import connect, wait_for
from tests.servers import ROOT, environment, manage

SETTINGS = "tests.intake.crowd_settings"
PROCESSES = 3


def new_database(server: Backing) -> str:
    """The URL of a new database."""
    url, name = urlsplit(server.url), f"crowd_{uuid.uuid4().hex}"
    if url.scheme == "mysql":
        with pymysql.connect(host=url.hostname, port=url.port, user=url.username) as connection:
            connection.cursor().execute(f"CREATE DATABASE {name}")
    else:
        wait_for(server)
        with connect(server.url) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
    return url._replace(path=f"/{name}").geturl()


def site_env(server: Backing | None, directory: Path) -> dict[str, str]:
    """The environment of a site with an empty database on this server, or with a SQLite database of its own."""
    extra = {} if server is None else {"TEST_DATABASE_URL": new_database(server)}
    env = environment(SETTINGS, directory / "crowd.sqlite3", extra)
    manage(env, "migrate", "--verbosity", "0")
    return env


@pytest.mark.parametrize("server_name", [None, "postgres_server", "mariadb_server"])
def test_one_owner_in_three_processes_at_once_gets_no_more_than_the_limits(
    request: pytest.FixtureRequest, tmp_path: Path, server_name: str | None
) -> None:
    env = site_env(request.getfixturevalue(server_name) if server_name else None, tmp_path)
    with ExitStack() as running:
        crowd = [_start(env, running) for _ in range(PROCESSES)]
        for process in crowd:
            assert _line(process) == "ready"
        for process in crowd:
            _tell(process)
        accepted = [list(map(int, _line(process).split())) for process in crowd]
    assert [sum(counted) for counted in zip(*accepted, strict=True)] == [3, 3], accepted


def _start(env: dict[str, str], running: ExitStack) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.intake.crowd"]
    process = subprocess.Popen(command, cwd=ROOT, env=env, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    running.enter_context(process)
    running.callback(process.kill)
    return process


def _line(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return process.stdout.readline().strip()


def _tell(process: subprocess.Popen[str]) -> None:
    assert process.stdin
    process.stdin.write("go\n")
    process.stdin.flush()
