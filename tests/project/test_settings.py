"""The settings of the example site in different environments."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from project.database_url import POSTGRES_POOL
from tests.servers import ROOT, environment

READ = "from project import settings as s; print({expression})"


def settings_value(expression: str, tmp_path: Path, **env: str) -> str:
    """The value of an expression about the settings module `s`, in a process with this environment."""
    command = [sys.executable, "-c", READ.format(expression=expression)]
    site_env = environment("project.settings", tmp_path / "x.sqlite3", env)
    done = subprocess.run(command, cwd=ROOT, env=site_env, capture_output=True, text=True)
    return done.stdout.strip() or done.stderr.strip().splitlines()[-1]


def test_site_on_postgresql_has_a_pool(tmp_path: Path) -> None:
    read = 's.DATABASES["default"]["OPTIONS"].get("pool")'
    assert settings_value(read, tmp_path, DATABASE_URL="postgres:///chat") == str(POSTGRES_POOL)
    assert settings_value(read, tmp_path) == "None"


@pytest.mark.parametrize(
    ("env", "anonymous"),
    [
        ({}, "True"),
        ({"ALLOWED_HOSTS": "localhost"}, "True"),
        ({"ALLOWED_HOSTS": "chat.example"}, "False"),
        ({"ALLOWED_HOSTS": "localhost,*"}, "False"),
        ({"DEBUG": "0", "SECRET_KEY": "s"}, "False"),
        ({"DEBUG": "0", "SECRET_KEY": "s", "ALLOWED_HOSTS": "localhost"}, "False"),
    ],
)
def test_only_a_site_for_its_own_machine_allows_visitors(tmp_path: Path, env: dict[str, str], anonymous: str) -> None:
    assert settings_value("s.STREAMING_ALLOW_ANONYMOUS", tmp_path, **env) == anonymous


def test_without_debug_a_secret_key_is_needed(tmp_path: Path) -> None:
    assert "SECRET_KEY must be set" in settings_value("s.DEBUG", tmp_path, DEBUG="0")
