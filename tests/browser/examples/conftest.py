"""A site with the examples of the documentation, and a browser that opens them."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page

from tests.browser.examples.blocks import REACT, cut_out
from tests.node import alone, node_with_packages
from tests.servers import ROOT, Site, serve

# What Chromium and htmx report about a broken connection or an HTTP error status.
EXPECTED = ("Failed to load resource", "[object Event]", "htmx:sendError")
JS = ROOT / "tests" / "js"
OpenPage = Callable[..., Awaitable[Page]]


@pytest.fixture(scope="session")
def packages() -> None:
    """Installs htmx and the React example, and builds the example as its README describes."""
    node_with_packages(REACT)
    node_with_packages(JS)
    with alone(REACT):
        done = subprocess.run(["npm", "run", "build"], cwd=REACT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="session")
def site(packages: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The example site with all examples of the documentation."""
    examples = tmp_path_factory.mktemp("examples")
    cut_out(examples)
    (examples / "frontend").symlink_to(REACT)
    (examples / "chat_htmx/__init__.py").touch()
    (examples / "chat_htmx/static").mkdir()
    for file in ("htmx.org/dist/htmx.min.js", "htmx-ext-sse/dist/sse.min.js"):
        shutil.copy(JS / "node_modules" / file, examples / "chat_htmx/static")
    env = {"EXAMPLES": str(examples), "PYTHONPATH": os.pathsep.join((str(ROOT), str(examples)))}
    with serve("uvicorn", examples, settings="tests.browser.examples.settings", env=env) as running:
        yield running


@pytest.fixture
def examples(site: Site) -> Path:
    """The directory with the files of the examples."""
    return site.database.parent


@pytest_asyncio.fixture(loop_scope="session")
async def open_page(chromium: Browser, site: Site) -> AsyncGenerator[OpenPage]:
    """Opens a page, as in `await open_page("/fetch/", base=cable.url)`. Each page has a browser profile of its own.

    A test fails if its page logs an error or a warning.
    """
    contexts: list[BrowserContext] = []
    troubles: list[str] = []

    def note(kind: str, text: str) -> None:
        if kind in ("error", "warning") and not any(known in text for known in EXPECTED):
            troubles.append(text)

    async def opened(path: str, base: str = site.url, **options: Any) -> Page:
        context = await chromium.new_context(base_url=base, **options)
        contexts.append(context)
        page = await context.new_page()
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("console", lambda said: note(said.type, said.text))
        await page.goto(path)
        return page

    yield opened
    for context in contexts:
        await context.close()
    assert troubles == []
