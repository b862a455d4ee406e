"""What the documentation says about names, defaults and files is what the code says."""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path
from typing import get_type_hints

import pytest
from django.conf import settings as django_settings

from streaming.conf import PREFIX, Settings, settings

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
    prop = vars(Settings)[name]
    kind = get_type_hints(prop.fget)["return"]
    shown = getattr(kind, "__name__", str(kind)) if "[" not in str(kind) else str(kind)
    kind_name = "dict" if shown.startswith("dict") else shown
    return f"### `{PREFIX}{name}`\n\n{kind_name}, default `{getattr(settings, name)!r}`\n\n{inspect.getdoc(prop)}\n"


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


def test_client_versions_are_those_that_are_tested():
    locked = json.loads((ROOT / "tests/js/package-lock.json").read_text())["packages"]
    tested = [locked[f"node_modules/ai-v{major}"]["version"] for major in (5, 6, 7)]
    named = re.findall(r"\d+\.\d+\.\d+", (ROOT / "docs/use-chat.md").read_text())
    assert sorted(set(named)) == tested
