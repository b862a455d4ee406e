from __future__ import annotations

import ast
import copy
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import grimp
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


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    """Every import in the package, those for type checking included."""
    return grimp.build_graph("streaming", cache_dir=None)


def test_import_contracts_are_kept():
    command = [Path(sys.executable).with_name("lint-imports"), "--no-logo"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def layer_contracts() -> dict[str, list[list[str]]]:
    """Returns the rooms of each package with floors, floor by floor from the top."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layered = [contract for contract in contracts if contract["type"] == "layers"]
    assert all(contract["exhaustive"] for contract in layered)
    return {contract["containers"][0]: [floor.split(" | ") for floor in contract["layers"]] for contract in layered}


def forbidden_imports() -> Iterator[tuple[str, str, str]]:
    """A package, one of its rooms, and another room that the first must not import."""
    for package, floors in layer_contracts().items():
        for number, floor in enumerate(floors):
            above = [room for upper in floors[:number] for room in upper]
            for room in floor:
                yield from ((package, room, other) for other in [*above, *floor] if other != room)


def floors_in_docs(heading: str) -> list[list[str]]:
    """The rooms in the table below a text of docs/architecture.md; a row without a floor belongs to the one above."""
    table = (ROOT / "docs/architecture.md").read_text().partition(heading)[2].partition("\n\n|")[2].partition("\n\n")[0]
    floors: list[list[str]] = []
    for row in table.splitlines()[2:]:
        _, floor, rooms, *_ = (cell.strip() for cell in row.split("|"))
        names = re.findall(r"`(\w+)`", rooms)
        if floor:
            floors.append(names)
        else:
            floors[-1] += names
    return floors


@pytest.mark.parametrize(
    ("package", "heading"), [("streaming", "## The rooms"), ("streaming.protocol", "`protocol` has floors of its own")]
)
def test_page_of_the_architecture_has_the_floors_that_are_held(package, heading):
    assert [sorted(floor) for floor in floors_in_docs(heading)] == [
        sorted(floor) for floor in layer_contracts()[package]
    ]


def test_files_that_the_page_of_the_architecture_names_exist():
    named = set(re.findall(r"`([a-z_]+(?:/[a-z_]+)+\.py)`", (ROOT / "docs/architecture.md").read_text()))
    assert named
    found = [name for name in named if (ROOT / "streaming" / name).exists() or (ROOT / name).exists()]
    assert sorted(found) == sorted(named)


@pytest.mark.parametrize("package", layer_contracts())
def test_every_import_upward_or_sideways_is_refused(graph, package):
    floors = layer_contracts()[package]
    layers = [grimp.Layer(*floor, independent=True) for floor in floors]
    assert not graph.find_illegal_dependencies_for_layers(layers, containers={package})
    for _, room, other in (one for one in forbidden_imports() if one[0] == package):
        changed = copy.deepcopy(graph)
        changed.add_import(importer=f"{package}.{room}", imported=f"{package}.{other}")
        assert changed.find_illegal_dependencies_for_layers(layers, containers={package}), f"{room} imports {other}"


def test_lint_refuses_an_import_upward(tmp_path):
    """The command that CI runs, on a copy of the code with one line more."""
    for name in ("streaming", "project"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    with (tmp_path / "streaming/runner/draft.py").open("a") as draft:
        draft.write("\nfrom streaming import supervisor\n")
    command = [Path(sys.executable).with_name("lint-imports"), "--no-logo", "--no-cache"]
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "streaming.runner is not allowed to import streaming.supervisor" in done.stdout


def test_no_module_imports_itself_by_way_of_others(graph):
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    TopologicalSorter(imports).prepare()  # raises CycleError


def test_reading_an_answer_does_not_import_what_writes_it(graph):
    assert not graph.chain_exists(importer="streaming.subscription", imported="streaming.supervisor", as_packages=True)


def test_at_most_ten_modules_stand_beside_the_packages():
    assert len(list((ROOT / "streaming").glob("*.py"))) <= 10


def faces() -> dict[str, set[str]]:
    """The names that each package shows in its `__init__`."""
    found = {}
    for init in (ROOT / "streaming").rglob("__init__.py"):
        for node in ast.parse(init.read_text()).body:
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
                found[module_of(init)] = set(ast.literal_eval(node.value))
    return found


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imports_past_a_face(path: Path, shown: dict[str, set[str]]) -> Iterator[str]:
    importer = module_of(path)
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.ImportFrom) or not (node.module or "").startswith("streaming."):
            continue
        packages = [package for package in shown if node.module.startswith(f"{package}.")]
        outside = [package for package in packages if not f"{importer}.".startswith(f"{package}.")]
        for name in node.names:
            yield from (
                f"{importer}: {name.name} is in {package}" for package in outside if name.name in shown[package]
            )


def test_nobody_imports_past_a_face():
    shown = faces()
    code = [*(ROOT / "streaming").rglob("*.py"), *(ROOT / "tests").rglob("*.py"), *(ROOT / "project").glob("*.py")]
    files = [path for path in code if "migrations" not in path.parts and "node_modules" not in path.parts]
    assert [past for path in files for past in imports_past_a_face(path, shown)] == []


def test_every_package_says_what_it_is_for():
    """A contract in a few lines; `__init__` files of Django's own layout (management, templatetags) are empty."""
    empty = {"streaming.management", "streaming.management.commands", "streaming.templatetags", "streaming.migrations"}
    inits = [init for init in (ROOT / "streaming").rglob("__init__.py") if module_of(init) not in empty]
    assert [str(init) for init in inits if not ast.get_docstring(ast.parse(init.read_text()))] == []


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
