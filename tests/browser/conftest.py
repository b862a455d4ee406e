"""A real Chromium on a real server. A test fails if the page logs an error, throws, or violates its CSP."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import AsyncGenerator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Error, async_playwright, expect

from tests.browser.chat import Chat
from tests.servers import Site, serve

SWITCHES = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
# Chromium reports each HTTP error status, also those that a test provokes.
EXPECTED = "Failed to load resource"
OpenChat = Callable[..., Any]
HERE = Path(__file__).parent

expect.set_options(timeout=15_000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncGenerator[Browser]:
    """The system's Chromium, or else the one that Playwright installed."""
    async with async_playwright() as playwright:
        try:
            browser = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=SWITCHES)
        except Error as error:
            pytest.skip(f"No Chromium here: {error.message.splitlines()[0]}")
        yield browser
        await browser.close()


@pytest.fixture(scope="session")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Site]]:
    """Returns the test site on a server, as in `sites("daphne")`. Each server starts at its first use."""
    running: dict[str, Site] = {}
    with contextlib.ExitStack() as stack:

        def site_on(server: str) -> Site:
            if server not in running:
                directory = tmp_path_factory.mktemp(server)
                running[server] = stack.enter_context(serve(server, directory, settings="tests.browser.settings"))
            return running[server]

        yield site_on


@pytest.fixture
def site(sites: Callable[[str], Site], request: pytest.FixtureRequest) -> Site:
    """The test site on uvicorn, or on the server that the test is parametrized with."""
    return sites(getattr(request, "param", "uvicorn"))


@pytest_asyncio.fixture(loop_scope="session")
async def open_chat(chromium: Browser, site: Site) -> AsyncGenerator[OpenChat]:
    """Opens a page, as in `await open_chat("/", viewport=…)`. The options are those of Playwright's contexts.

    Each page has a browser profile of its own.
    """
    contexts: list[BrowserContext] = []
    troubles: list[str] = []

    async def open_page(path: str = "/", base: str = site.url, **options: Any) -> Chat:
        context = await chromium.new_context(base_url=base, **options)
        contexts.append(context)
        page = await context.new_page()
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("console", lambda said: _note(troubles, said.type, said.text))
        await page.goto(path)
        return Chat(page)

    yield open_page
    for context in contexts:
        await context.close()
    assert troubles == []


@pytest_asyncio.fixture(loop_scope="session")
async def chat(open_chat: OpenChat) -> Chat:
    """A new conversation."""
    opened: Chat = await open_chat("/")
    return opened


def _note(troubles: list[str], kind: str, text: str) -> None:
    if kind in ("error", "warning") and EXPECTED not in text:
        troubles.append(text)
