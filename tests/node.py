"""Node and the npm packages that a directory's lock names."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

OLDEST_NODE = 18
INSTALL = ("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")


def node_with_packages(directory: Path) -> str:
    """The path of node, once `directory` has its packages: `npm ci`, unless what is there is what the lock names."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("node and npm are not installed")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if int(version.removeprefix("v").partition(".")[0]) < OLDEST_NODE:
        pytest.skip(f"node is {version}; the clients need {OLDEST_NODE} or newer")
    lock, installed = directory / "package-lock.json", directory / "node_modules" / ".package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
        done = subprocess.run([npm, *INSTALL], cwd=directory, capture_output=True, text=True, timeout=100)
        if done.returncode:
            pytest.skip(f"npm ci failed: {done.stderr.strip()}")
    return node
