from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from asgiref.sync import iscoroutinefunction
from django.core.management import call_command
from django.db import connections
from django.test import AsyncClient

from streaming.urls import urlpatterns

ROOT = Path(__file__).resolve().parent.parent
MAX_FILE_LINES = 250
MAX_FUNCTION_LINES = 45
MAX_MEDIAN = 7

Function = ast.FunctionDef | ast.AsyncFunctionDef


def sources() -> list[Path]:
    return [path for path in sorted((ROOT / "streaming").rglob("*.py")) if "migrations" not in path.parts]


def functions() -> Iterator[tuple[str, int]]:
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, Function):
                yield f"{path.relative_to(ROOT)}:{node.lineno} {node.name}", body_lines(node)


def body_lines(function: Function) -> int:
    """Lines from `def` to the end, the docstring aside."""
    first, last = function.lineno, function.end_lineno or function.lineno
    if ast.get_docstring(function) is None:
        return last - first + 1
    docstring = function.body[0]
    return last - first + 1 - ((docstring.end_lineno or docstring.lineno) - docstring.lineno + 1)


def test_imports_go_down_only():
    command = [Path(sys.executable).with_name("lint-imports"), "--no-logo"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_files_are_short():
    long = {str(path.relative_to(ROOT)): lines for path in sources() if (lines := lines_of(path)) > MAX_FILE_LINES}
    assert long == {}


def lines_of(path: Path) -> int:
    return len(path.read_text().splitlines())


def test_functions_are_short():
    assert {name: lines for name, lines in functions() if lines > MAX_FUNCTION_LINES} == {}


def test_functions_are_short_in_the_median():
    lengths = sorted(lines for _, lines in functions())
    assert lengths[len(lengths) // 2] <= MAX_MEDIAN


def test_modules_say_what_they_are():
    silent = [
        path for path in sources() if path.read_text().strip() and not ast.get_docstring(ast.parse(path.read_text()))
    ]
    assert silent == []


@pytest.mark.django_db
def test_no_migration_is_missing():
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)


def test_views_are_async_and_exempt_from_atomic_requests():
    """Django refuses an async view under ATOMIC_REQUESTS, and no stream may hold a transaction open."""
    exempt = {pattern.name: getattr(pattern.callback, "_non_atomic_requests", set()) for pattern in urlpatterns}
    assert exempt
    assert {name for name, databases in exempt.items() if "default" not in databases} == set()
    assert [pattern.name for pattern in urlpatterns if not iscoroutinefunction(pattern.callback)] == []


@pytest.mark.urls("project.urls")
@pytest.mark.django_db(transaction=True)
async def test_pages_work_under_atomic_requests(monkeypatch):
    monkeypatch.setitem(connections.settings["default"], "ATOMIC_REQUESTS", True)
    response = await AsyncClient().get("/")
    assert response.status_code == 200
