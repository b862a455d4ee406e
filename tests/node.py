"""Node and the npm packages of a directory's package-lock.json."""

from __future__ import annotations

import contextlib
import fcntl
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

OLDEST_NODE = 18
INSTALL = ("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")


def node_with_packages(directory: Path) -> str:
    """Installs the packages of `directory` with `npm ci`, if they are not up to date, and returns the path of node."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("node and npm are not installed")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if int(version.removeprefix("v").partition(".")[0]) < OLDEST_NODE:
        pytest.skip(f"node is {version}; the clients need {OLDEST_NODE} or newer")
    with alone(directory):
        wanted, installed = directory / "package-lock.json", directory / "node_modules" / ".package-lock.json"
        if not installed.exists() or installed.stat().st_mtime < wanted.stat().st_mtime:
            done = subprocess.run([npm, *INSTALL], cwd=directory, capture_output=True, text=True, timeout=200)
            if done.returncode:
                pytest.skip(f"npm ci failed: {done.stderr.strip()}")
    return node


@contextlib.contextmanager
def alone(directory: Path) -> Iterator[None]:
    """The context in which no other test process works there: two installations at once leave half of the packages."""
    with (directory / "package.json").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
