"""What the documentation says about names, defaults and files is what the code says."""

from __future__ import annotations

import ast
import inspect
import json
import re
from pathlib import Path

import pytest
from django.conf import settings as django_settings

from streaming import conf
from streaming.conf import PREFIX, Settings, settings
from tests.faults.report import fill, shortened

ROOT = Path(__file__).resolve().parent.parent
DOCS = [*sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "docs/examples").glob("*/*.md"))]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *DOCS]
NAMES = [name for name in vars(Settings) if name.isupper()]


@pytest.fixture
def without_settings(settings):
    """Only defaults are left."""
    for name in NAMES:
        if hasattr(django_settings, PREFIX + name):
            delattr(settings, PREFIX + name)


def section(name: str) -> str:
    """What `docs/settings.md` has to say about one setting."""
    kind, meaning = SOURCE[name]
    return f"### `{PREFIX}{name}`\n\n{kind}, default `{getattr(settings, name)!r}`\n\n{meaning}\n"


def settings_in_source() -> dict[str, tuple[str, str]]:
    """Of each setting its kind, as the source has it, and the string below it."""
    [body] = [
        node.body
        for node in ast.parse(inspect.getsource(conf)).body
        if isinstance(node, ast.ClassDef) and node.name == "Settings"
    ]
    found = {}
    for assigned, string in zip(body[1::2], body[2::2], strict=True):
        name, kind = ast.unparse(assigned).split(" = ")
        name, _, annotation = name.partition(": ")
        kind = annotation.removeprefix("Setting[").removesuffix("]") or kind.partition("(")[2].partition(",")[0]
        kind = "dict" if kind.startswith("dict") else kind
        is_or_none = "OrNone(" in ast.unparse(assigned)
        found[name] = (f"{kind} | None" if is_or_none else kind, inspect.cleandoc(string.value.value))
    return found


SOURCE = settings_in_source()


@pytest.mark.usefixtures("without_settings")
def test_settings_page_has_every_setting_with_its_default_and_docstring():
    page = (ROOT / "docs/settings.md").read_text()
    missing = [section(name) for name in NAMES if section(name) not in page]
    assert missing == [], "docs/settings.md lacks:\n\n" + "\n".join(missing)
    assert re.findall(r"^### `STREAMING_(\w+)`", page, re.MULTILINE) == NAMES


@pytest.mark.usefixtures("without_settings")
def test_readme_table_of_settings():
    rows = re.findall(r"^\| `STREAMING_(\w+)` \| `([^`]+)` \|", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert rows
    assert [(name, default) for name, default in rows if default != repr(getattr(settings, name))] == []


@pytest.mark.parametrize("document", PAGES, ids=lambda document: document.name)
def test_links_lead_to_files(document):
    targets = re.findall(r"\]\((?!https?://|#)([^)#]+)", document.read_text())
    assert [target for target in targets if not (document.parent / target).exists()] == []


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
