"""The stylesheet and the scripts of the page: the output of `{% chat_assets %}`, and the imports of the modules."""

from __future__ import annotations

import graphlib
import json
import posixpath
import re
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles.storage import ManifestStaticFilesStorage, StaticFilesStorage
from django.core.management import call_command
from django.template import Context, Template
from django.test import RequestFactory

import streaming
from streaming.templatetags.streaming import MODULES, STYLES

FILES = Path(streaming.__file__).parent / "static/streaming"
# Names of the page's scripts, as paths from FILES.
SCRIPTS = {
    path.relative_to(FILES).as_posix(): path.read_text() for path in [FILES / "chat.js", *FILES.glob("chat/*.js")]
}
IMPORT = re.compile(r'^import .*?from "([^"]+)";', re.MULTILINE)


class RewritingStorage(ManifestStaticFilesStorage):
    support_js_module_import_aggregation = True


class SignedStorage(StaticFilesStorage):
    """A storage that gives each address a query of its own, as object storages do."""

    def url(self, name: str | None) -> str:
        return f"https://cdn.example.org/{name}?signature={len(name or '')}"


def rendered(**values: Any) -> str:
    return Template("{% load streaming %}{% chat_assets %}").render(Context(values))


def imports() -> dict[str, set[str]]:
    """The name of each script -> the names of the scripts that it imports."""
    return {
        name: {posixpath.normpath(posixpath.join(posixpath.dirname(name), path)) for path in IMPORT.findall(text)}
        for name, text in SCRIPTS.items()
    }


def addresses(page: str) -> list[str]:
    return re.findall(r'(?:src|href)="([^"]+)"', page)


def import_map(page: str) -> dict[str, str]:
    [found] = re.findall(r'<script type="importmap">(.*?)</script>', page)
    mapped: dict[str, str] = json.loads(found)["imports"]
    return mapped


@pytest.fixture
def collected(settings: Any, tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """The directory in which the storage named by the test's parameter has stored the static files."""
    settings.STORAGES = settings.STORAGES | {"staticfiles": {"BACKEND": request.param}}
    settings.STATIC_ROOT = tmp_path
    call_command("collectstatic", interactive=False, verbosity=0)
    return tmp_path


def stored_by(storage: type[StaticFilesStorage]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("collected", [f"{storage.__module__}.{storage.__qualname__}"], indirect=True)


# --- the modules


def test_imports_are_relative_and_lead_to_modules() -> None:
    for name, text in SCRIPTS.items():
        assert len(IMPORT.findall(text)) == len(
            re.findall(r"\bimport\b[ {(*]", re.sub(r"/\*.*?\*/", "", text, flags=re.S))
        )
        assert all(path.startswith("./") for path in IMPORT.findall(text)), name
    assert {imported for found in imports().values() for imported in found} == set(SCRIPTS) - {"chat.js"}


def test_imports_have_no_circle() -> None:
    assert [*graphlib.TopologicalSorter(imports()).static_order()][-1] == "chat.js"


def test_modules_are_short() -> None:
    assert [name for name, text in SCRIPTS.items() if len(text.splitlines()) > 200] == []


# --- the tag


def test_every_module_is_named() -> None:
    assert {"chat.js", *MODULES} == set(SCRIPTS)
    scripts = [f"streaming/{name}" for name in [*MODULES, "chat.js"]]
    assert addresses(rendered()) == [f"/static/{name}" for name in [*STYLES, *scripts]]


def test_unchanged_names_need_no_inline_script() -> None:
    assert re.findall(r"<script([^>]*)>(.*?)</script>", rendered()) == [
        (' type="module" src="/static/streaming/chat.js"', "")
    ]


@pytest.mark.parametrize("source", ["context", "request"])
@stored_by(ManifestStaticFilesStorage)
def test_every_element_carries_the_nonce(collected: Path, source: str) -> None:
    request = RequestFactory().get("/")
    values: dict[str, Any] = {"request": request}
    if source == "context":
        values["csp_nonce"] = "n0nce"
    else:
        request.csp_nonce = "n0nce"  # type: ignore[attr-defined]
    page = rendered(**values)
    assert page.count('nonce="n0nce"') == len(re.findall("<link|<script", page)) == len(MODULES) + len(STYLES) + 2
    assert 'nonce="' not in rendered()


@stored_by(ManifestStaticFilesStorage)
def test_hashed_names_are_used_for_every_file(collected: Path) -> None:
    page = rendered()
    found = [address.removeprefix("/static/") for address in addresses(page)]
    assert len(found) == len(MODULES) + len(STYLES) + 1
    assert all(re.search(r"\.[0-9a-f]{12}\.(?:css|js)$", file) and (collected / file).is_file() for file in found)
    mapped = import_map(page)
    assert list(mapped) == [f"/static/streaming/{module}" for module in MODULES]
    assert [*mapped.values()] == addresses(page)[len(STYLES) : -1]


@stored_by(ManifestStaticFilesStorage)
def test_import_map_comes_before_modules(collected: Path) -> None:
    page = rendered()
    assert page.index('type="importmap"') < page.index("modulepreload") < page.index('type="module"')


def test_no_comment_looks_like_an_import() -> None:
    """Django 6.1 takes such a comment and the first real import for one, and then rewrites neither."""
    static = Path(streaming.__file__).parent / "static/streaming"
    comments = {
        module: re.findall(r"/\*.*?\*/|//[^\n]*", (static / module).read_text(), re.DOTALL)
        for module in ["chat.js", *MODULES]
    }
    found = {module: found for module, found in comments.items() if re.search(r"\bimport\s", " ".join(found))}
    assert found == {}


@stored_by(RewritingStorage)
def test_rewritten_imports_need_no_map(collected: Path) -> None:
    page = rendered()
    assert "importmap" not in page
    hashed = [(collected / address.removeprefix("/static/")) for address in addresses(page)[len(STYLES) :]]
    imported = {(file.parent / path).resolve() for file in hashed for path in IMPORT.findall(file.read_text())}
    assert imported == set(hashed[:-1])


def test_addresses_with_queries_are_mapped(settings: Any) -> None:
    storage = f"{__name__}.SignedStorage"
    settings.STORAGES = settings.STORAGES | {"staticfiles": {"BACKEND": storage}}
    assert import_map(rendered()) == {
        f"https://cdn.example.org/streaming/{module}": (
            f"https://cdn.example.org/streaming/{module}?signature={len(f'streaming/{module}')}"
        )
        for module in MODULES
    }


class LazyNonce:
    """A nonce as Django 6 and django-csp 4 have it: falsy until somebody asks for its text."""

    def __init__(self) -> None:
        self.is_used = False

    def __bool__(self) -> bool:
        return self.is_used

    def __str__(self) -> str:
        self.is_used = True
        return "bm9uY2U"


@pytest.mark.parametrize("place", ["context", "request"])
def test_a_nonce_that_is_made_when_it_is_used_stands_on_every_element(place: str) -> None:
    request = RequestFactory().get("/")
    if place == "request":
        request.csp_nonce = LazyNonce()  # type: ignore[attr-defined]
    page = rendered(request=request, **({"csp_nonce": LazyNonce()} if place == "context" else {}))
    assert page.count('nonce="bm9uY2U"') == len(re.findall(r"<(?:link|script)\b", page)) > 2
