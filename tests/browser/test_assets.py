"""The page's scripts with different storages of static files and different Content Security Policies."""

from __future__ import annotations

import contextlib
import re
from collections.abc import AsyncGenerator, Callable, Iterator
from typing import Any

import pytest
from playwright.async_api import Browser, Route, expect

from streaming.templatetags.streaming import MODULES
from tests.browser.by_prompt import WORDS
from tests.browser.chat import Chat
from tests.browser.strict_csp import HEADER, SCRIPTS
from tests.servers import Site, environment, manage, serve

NONCE = "'nonce-{nonce}'"
OWN = "'self'"
INLINE = "'self' 'unsafe-inline'"
HASHED = "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"
REWRITTEN = "tests.browser.stored.RewritingStorage"
# The paths of the scripts that the page has loaded.
LOADED = """() => performance.getEntriesByType("resource").map(({ name }) => new URL(name).pathname)
    .filter((path) => path.endsWith(".js")).sort()"""
OWN_NAMES = sorted(f"/static/streaming/{name}" for name in ("chat.js", *MODULES))


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Site]]:
    """Returns the site with its static files in a storage, as in `stored(HASHED)`. Each one starts at its first use."""
    running: dict[str, Site] = {}
    with contextlib.ExitStack() as stack:

        def site_with(storage: str) -> Site:
            if storage not in running:
                directory = tmp_path_factory.mktemp("stored")
                env = {"STATICFILES_STORAGE": storage}
                settings = "tests.browser.stored"
                manage(environment(settings, directory / "site.sqlite3", env), "collectstatic", "--noinput")
                running[storage] = stack.enter_context(serve("uvicorn", directory, settings=settings, env=env))
            return running[storage]

        yield site_with


async def answers(chat: Chat) -> None:
    await chat.ask("words please")
    assert len(await chat.growth()) > 2
    await expect(chat.text).to_have_text(WORDS)


def is_hashed(path: str, site: Site) -> bool:
    """True if the name has a hash and `collectstatic` made such a file."""
    return bool(re.search(r"\.[0-9a-f]{12}\.js$", path)) and (site.database.parent / path.lstrip("/")).is_file()


@pytest.mark.parametrize("scripts", [SCRIPTS, NONCE, OWN])
async def test_files_with_their_own_names_load_under_any_policy(open_chat: Any, scripts: str) -> None:
    chat: Chat = await open_chat("/", extra_http_headers={HEADER: scripts})
    await answers(chat)
    assert await chat.page.evaluate(LOADED) == OWN_NAMES


@pytest.mark.parametrize(
    ("storage", "scripts"),
    [(HASHED, SCRIPTS), (HASHED, NONCE), (HASHED, INLINE), (REWRITTEN, SCRIPTS), (REWRITTEN, NONCE), (REWRITTEN, OWN)],
)
async def test_hashed_files_load_and_no_other(
    open_chat: Any, stored: Callable[[str], Site], storage: str, scripts: str
) -> None:
    site = stored(storage)
    chat: Chat = await open_chat("/", base=site.url, extra_http_headers={HEADER: scripts})
    await answers(chat)
    loaded = await chat.page.evaluate(LOADED)
    assert len(loaded) == len(OWN_NAMES)
    assert [path for path in loaded if not is_hashed(path, site)] == []


@contextlib.asynccontextmanager
async def opened(chromium: Browser, site: Site, scripts: str) -> AsyncGenerator[tuple[Chat, list[str]]]:
    """A page that is not open yet, and the list of its console messages and errors."""
    context = await chromium.new_context(base_url=site.url, extra_http_headers={HEADER: scripts})
    page = await context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    yield Chat(page), said
    await context.close()


async def test_the_page_works_where_the_policy_forbids_the_import_map(
    chromium: Browser, stored: Callable[[str], Site]
) -> None:
    """The imports then lead to the files with unchanged names, which `collectstatic` keeps."""
    async with opened(chromium, stored(HASHED), OWN) as (chat, said):
        await chat.page.goto("/")
        await answers(chat)
        assert set(OWN_NAMES) - {"/static/streaming/chat.js"} <= set(await chat.page.evaluate(LOADED))
    assert len(said) == 1
    assert "inline script" in said[0]


@pytest.mark.parametrize("is_before", [True, False])
async def test_another_import_map_and_a_second_tag_do_no_harm(
    chromium: Browser, stored: Callable[[str], Site], is_before: bool
) -> None:
    """The page has its own import map before or after the tag, and it has the tag twice."""
    site = stored(HASHED)
    own = '<script type="importmap">{"imports": {"own": "/static/own.js"}}</script>'

    async def with_map(route: Route) -> None:
        if route.request.resource_type != "document":
            return await route.continue_()
        response = await route.fetch()
        start, tag, rest = re.split('(<link rel="stylesheet".*?(?=</head>))', await response.text(), flags=re.DOTALL)
        head = [own, tag, tag] if is_before else [tag, tag, own]
        await route.fulfill(response=response, body="".join([start, *head, rest]))

    async with opened(chromium, site, INLINE) as (chat, said):
        await chat.page.route(f"{site.url}/", with_map)
        await chat.page.goto("/")
        assert await chat.page.locator("script[type=importmap]").count() == 3
        await answers(chat)
        assert [path for path in await chat.page.evaluate(LOADED) if not is_hashed(path, site)] == []
    # The map of the second tag repeats the first one, and Chromium reports that.
    assert [text for text in said if "conflicted with an existing rule" not in text] == []
