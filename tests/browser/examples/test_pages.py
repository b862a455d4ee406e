"""The three pages of docs/clients.md that need no library: twenty lines, EventSource and fetch."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.browser.by_prompt import MARKUP, WORDS
from tests.browser.examples.conftest import OpenPage
from tests.cable import Cable
from tests.live import rows
from tests.servers import Site

PAGES = ("/event-source/", "/fetch/")
EVERY_PAGE = ("/plain/", *PAGES)


async def test_twenty_lines_show_an_answer(open_page: OpenPage, examples: Path) -> None:
    page = await open_page("/plain/")
    async with page.expect_request_finished(lambda request: request.method == "POST"):
        await ask(page, "slow please")
        await expect(page.locator("#answer")).to_contain_text("word5")
        assert await page.locator("#answer").inner_text() != WORDS
        await expect(page.locator("#answer")).to_have_text(WORDS)
    await ask(page, "unbroken please")
    await expect(page.locator("#answer")).to_have_text("x" * 600)
    script = (examples / "templates/plain.html").read_text().partition('<script type="module">\n')[2]
    assert len(script.partition("</script>")[0].splitlines()) <= 20


@pytest.mark.parametrize("path", PAGES)
async def test_a_reload_and_a_cut_neither_lose_nor_repeat_text(open_page: OpenPage, site: Site, path: str) -> None:
    async with Cable(site) as cable:
        page = await open_page(path, base=cable.url)
        await ask(page, "steady please")
        await expect(page.locator("#answer")).to_contain_text("word5")
        await page.reload()
        await expect(page.locator("#answer")).to_contain_text("word9")
        assert await page.locator("#answer").inner_text() != WORDS
        cable.cut()
        await expect(page.locator("#note")).to_have_text("Reconnecting…")
        cable.mend()
        await expect(page.locator("#note")).to_have_text("")
        await expect(page.locator("#answer")).to_have_text(WORDS)


async def test_fetch_never_asks_twice(open_page: OpenPage, site: Site) -> None:
    async with Cable(site) as cable:
        page = await open_page("/fetch/", base=cable.url)
        cable.cut()
        await ask(page, "steady please")
        await expect(page.locator("#note")).to_have_text("Reconnecting…")
        cable.mend()
        await expect(page.locator("#answer")).to_contain_text("word5")
        cable.cut()
        await expect(page.locator("#note")).to_have_text("Reconnecting…")
        cable.mend()
        await expect(page.locator("#answer")).to_have_text(WORDS)
        await rows.settled(site, await page.evaluate("location.hash.slice(1)"))
        loaded = await page.evaluate("async () => (await fetch(`/api/chat/${location.hash.slice(1)}`)).json()")
        assert [message["role"] for message in loaded["messages"]] == ["user", "assistant"]


async def test_event_source_closes_after_the_last_event(open_page: OpenPage) -> None:
    page = await open_page("/event-source/")
    await page.evaluate("EventSource.prototype.close = () => {}")  # as on a page that does not look for `[DONE]`
    await ask(page, "markup please")
    await expect(page.locator("#note")).to_have_text("Reconnecting…")
    last = await page.wait_for_event("response")
    assert last.status == 204
    number, _, answer = (await last.request.all_headers())["last-event-id"].partition("-")
    assert (int(number) > 3, len(answer)) == (True, 8)
    await expect(page.locator("#note")).to_have_text("")  # the EventSource's state is CLOSED


@pytest.mark.parametrize("path", PAGES)
async def test_stop_keeps_what_was_written(open_page: OpenPage, path: str) -> None:
    page = await open_page(path)
    await ask(page, "hang please")
    await expect(page.locator("#answer")).to_contain_text("word4")
    async with page.expect_response("**/stop") as stopped:
        await page.get_by_role("button", name="Stop").click()
    assert await (await stopped.value).json() == {"status": "stopping"}
    kept = await page.locator("#answer").inner_text()
    await page.reload()
    await expect(page.locator("#answer")).to_have_text(kept)


@pytest.mark.parametrize("path", EVERY_PAGE)
async def test_markup_stays_text(open_page: OpenPage, path: str) -> None:
    page = await open_page(path)
    await ask(page, "markup please")
    await expect(page.locator("#answer")).to_have_text(MARKUP)
    assert await page.locator("#answer *").count() == 0


@pytest.mark.parametrize("path", EVERY_PAGE)
async def test_what_is_refused_or_fails_says_why_and_the_next_answer_is_shown(open_page: OpenPage, path: str) -> None:
    page = await open_page(path)
    await ask(page, "")
    await expect(page.locator("#note")).to_contain_text("empty")
    await ask(page, "busy please")
    await expect(page.locator("#note")).to_contain_text("is busy")
    await ask(page, "unbroken please")
    await expect(page.locator("#answer")).to_have_text("x" * 600)
    await expect(page.locator("#note")).to_have_text("")


async def ask(page: Page, prompt: str) -> None:
    await page.get_by_label("Message").fill(prompt)
    await page.get_by_label("Message").press("Enter")
