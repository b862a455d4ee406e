"""The wheel of this checkout, and an interpreter that has it, for tests that follow the documentation."""

from __future__ import annotations

import os
import site
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
INHERITED = ("PATH", "HOME", "LANG", "TMPDIR", "LD_LIBRARY_PATH")


def inherited() -> dict[str, str]:
    """The environment of a developer's shell, without the settings of this test run."""
    return {name: os.environ[name] for name in INHERITED if name in os.environ}


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from this checkout."""
    directory = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", directory, cwd=ROOT)
    [built] = directory.glob("*.whl")
    return built


def run(*command: Any, cwd: Path, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [str(word) for word in command], cwd=cwd, env=env, capture_output=True, text=True, timeout=100, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done


@pytest.fixture(scope="session")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter with the wheel. It uses the dependencies of this test's interpreter, to save minutes."""
    directory = tmp_path_factory.mktemp("environment")
    venv.create(directory, with_pip=False)
    fresh = directory / "bin/python"
    run(sys.executable, "-m", "pip", "--python", fresh, "install", "--quiet", "--no-deps", wheel, cwd=directory)
    # Python searches the lines of a .pth file after its own packages and ignores .pth files in them. So it does not
    # see an editable install of this checkout.
    [packages] = directory.glob("lib/python3*/site-packages")
    (packages / "dependencies.pth").write_text("\n".join(site.getsitepackages()))
    return fresh
