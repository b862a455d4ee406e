"""The documentation and the code agree about names, defaults and files."""

from __future__ import annotations

import importlib
import json
import re
import sys
import tomllib
from pathlib import Path

import pytest
from django.conf import settings as django_settings

from streaming.conf import PREFIX, SETTINGS, settings
from streaming.providers.local import LocalOptions
from streaming.providers.options import Options
from streaming.providers.scripted.provider import ScriptedOptions
from streaming.providers.vendor import VendorOptions
from tests.faults.report import fill, shortened
from tests.packages import run

ROOT = Path(__file__).resolve().parent.parent
DOCS = [*sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "docs/examples").glob("*/*.md"))]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *DOCS]


@pytest.fixture
def without_settings(settings):
    """Removes the app's settings, so that only defaults are left."""
    for name in SETTINGS:
        if hasattr(django_settings, PREFIX + name):
            delattr(settings, PREFIX + name)


@pytest.mark.usefixtures("without_settings")
def test_readme_names_settings_with_their_defaults():
    rows = re.findall(r"^\| `STREAMING_(\w+)` \| `([^`]+)` \|", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert rows
    assert [(name, default) for name, default in rows if default != repr(getattr(settings, name))] == []


@pytest.mark.slow
def test_documentation_builds_without_a_warning(tmp_path):
    run(sys.executable, "-m", "sphinx", "-q", "-n", "-W", "--keep-going", "docs", tmp_path, cwd=ROOT)


@pytest.mark.parametrize("document", PAGES, ids=lambda document: document.name)
def test_links_lead_to_files(document):
    targets = re.findall(r"\]\((?!https?://|#)([^)#]+)", document.read_text())
    assert [target for target in targets if not (document.parent / target).exists()] == []


@pytest.mark.parametrize("document", PAGES, ids=lambda document: document.name)
def test_tables_have_a_line_below_their_heading(document):
    """Without it, Markdown shows the rows as one paragraph."""
    text = re.sub(r"(?ms)^```.*?^```", "", document.read_text())
    tables = re.findall(r"(?m)(?:^\|.*\n)+", text)
    assert [rows for rows in tables if not re.match(r".*\n\|[ :|-]+\|\n", rows)] == []


@pytest.mark.parametrize(
    ("kind", "heading"),
    [
        (Options, "Every provider"),
        (VendorOptions, "OpenAI, Anthropic and compatible servers"),
        (LocalOptions, "`LocalModel`"),
        (ScriptedOptions, "`Scripted`"),
    ],
)
def test_settings_page_names_all_options_of_the_providers(kind, heading):
    [rows] = re.findall(rf"(?ms)^### {re.escape(heading)}$(.*?)^##", (ROOT / "docs/settings.md").read_text())
    own = [name for name in kind.__annotations__ if kind is Options or name not in Options.__annotations__]
    assert re.findall(r"(?m)^\| `(\w+)` \|", rows) == own


def test_links_of_the_readme_work_on_the_package_index():
    """The index shows the README alone, so its links name the repository; each leads to a file that is here."""
    page = (ROOT / "README.md").read_text()
    source = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["urls"]["Source"]
    raw = source.replace("github.com", "raw.githubusercontent.com")
    places = [f"{source}/blob/main/", f"{raw}/main/"]
    targets = dict(re.findall(r"^\[([\w-]+)\]: (\S+)$", page, re.MULTILINE))
    assert re.findall(r"\]\((?!https?://)", page) == []
    assert set(re.findall(r"\]\[([\w-]+)\]", page)) == set(targets)
    for target in targets.values():
        [place] = [place for place in places if target.startswith(place)]
        assert (ROOT / target.removeprefix(place).partition("#")[0]).exists(), target


def test_make_targets_that_are_named_exist():
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {word for page in PAGES for word in re.findall(r"(?:^ {4}|`)make (\w+)", page.read_text(), re.MULTILINE)}
    assert named
    assert named <= targets


def test_fault_table_has_one_row_for_each_fault_to_fill():
    page = (ROOT / "docs/reliability.md").read_text()
    filled = fill(page, {f"F{number}": "just now" for number in range(1, 33)})
    assert filled.count("| just now |") == shortened(filled).count("| just now |") == 32


def test_client_versions_are_those_that_are_tested():
    locked = json.loads((ROOT / "tests/js/package-lock.json").read_text())["packages"]
    tested = [locked[f"node_modules/ai-v{major}"]["version"] for major in (5, 6, 7)]
    named = re.findall(r"\d+\.\d+\.\d+", (ROOT / "docs/use-chat.md").read_text())
    assert sorted(set(named)) == tested
    [agui] = re.findall(r"`@ag-ui/client` (\d+\.\d+\.\d+)", (ROOT / "docs/ag-ui.md").read_text())
    assert agui == locked["node_modules/@ag-ui/client"]["version"]


def test_pages_page_names_every_template_and_colour():
    page = (ROOT / "docs/pages.md").read_text()
    templates = {path.name for path in (ROOT / "streaming/templates/streaming").glob("*.html")}
    assert set(re.findall(r"streaming/(\w+\.html)", page)) == templates
    properties = set(
        re.findall(r"^    (--chat-[\w-]+):", (ROOT / "streaming/static/streaming/chat.css").read_text(), re.MULTILINE)
    )
    assert set(re.findall(r"--chat-[\w-]+", page)) == properties


@pytest.mark.parametrize("document", PAGES, ids=lambda document: document.name)
def test_names_that_are_imported_exist(document):
    lines = re.findall(r"^ *from (streaming[\w.]*) import ([\w, ]+)", document.read_text(), re.MULTILINE)
    named = [(module, name.strip()) for module, names in lines for name in names.split(",")]
    assert [(module, name) for module, name in named if not hasattr(importlib.import_module(module), name)] == []


@pytest.mark.parametrize("document", PAGES, ids=lambda document: document.name)
def test_files_of_tests_that_are_named_exist(document):
    named = re.findall(r"`?((?:[a-z_]+/)*test_[a-z_]+\.py)\b", document.read_text())
    places = (ROOT, ROOT / "tests")
    assert [name for name in named if not any((place / name).exists() for place in places)] == []
