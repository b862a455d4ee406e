"""The React example, installed, built and served as its README describes."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from playwright.async_api import Locator, Page, Route, expect

from tests.browser.by_prompt import MARKUP, WORDS
from tests.browser.examples.conftest import OpenPage
from tests.cable import Cable
from tests.live import rows
from tests.servers import Site


async def test_a_reload_and_a_cut_neither_lose_nor_repeat_text(open_page: OpenPage, site: Site) -> None:
    async with Cable(site) as cable:
        page = await open_page("/react/", base=cable.url)
        await ask(page, "steady please")
        await expect(answer(page)).to_contain_text("word5")
        await page.reload()
        await expect(answer(page)).to_contain_text("word9")
        assert WORDS.startswith((await answer(page).inner_text()).strip())
        await expect(button(page, "Stop")).to_be_visible()
        cable.cut()
        await expect(page.get_by_role("alert")).to_have_text("Connection lost. Reconnecting…")
        cable.mend()
        await expect(answer(page)).to_have_text(WORDS)
        await expect(page.get_by_role("alert")).to_have_count(0)
        await expect(page.locator("li.user")).to_have_text(["steady please"])


async def test_an_answer_that_ends_while_the_page_is_cut_off(open_page: OpenPage, site: Site) -> None:
    async with Cable(site) as cable:
        page = await open_page("/react/", base=cable.url)
        await ask(page, "steady please")
        await expect(answer(page)).to_contain_text("word5")
        cable.cut()
        await expect(page.get_by_role("alert")).to_have_text("Connection lost. Reconnecting…")
        await has_ended(page, site)
        cable.mend()
        await expect(answer(page)).to_have_text(WORDS)
        await expect(page.locator("li")).to_have_count(3)  # the question, the answer and the actions


async def test_an_answer_that_ends_between_loading_and_resuming(open_page: OpenPage, site: Site) -> None:
    page = await open_page("/react/")

    async def late(route: Route) -> None:
        await has_ended(page, site)
        await route.continue_()

    await ask(page, "steady please")
    await expect(answer(page)).to_contain_text("word5")
    await page.route("**/stream*", late)
    await page.reload()
    await expect(answer(page)).to_have_text(WORDS)


async def has_ended(page: Page, site: Site) -> None:
    """Waits until the page's conversation has a settled answer in the database."""
    key = parse_qs(urlsplit(page.url).query)["chat"][0]
    await rows.settled(site, key)


async def test_stop_keeps_the_text_and_regenerate_replaces_it(open_page: OpenPage) -> None:
    page = await open_page("/react/")
    await ask(page, "hang please")
    await expect(answer(page)).to_contain_text("word4")
    await button(page, "Stop").click()
    await expect(answer(page)).to_contain_text("Stopped.")
    kept = await answer(page).inner_text()
    await page.reload()
    await expect(answer(page)).to_have_text(kept, use_inner_text=True)
    await button(page, "Regenerate").click()
    await expect(answer(page)).not_to_contain_text("Stopped.")
    await button(page, "Stop").click()
    await expect(answer(page)).to_contain_text("Stopped.")
    await expect(page.locator("li.assistant")).to_have_count(1)


async def test_reasoning_calls_and_markup_are_shown(open_page: OpenPage) -> None:
    page = await open_page("/react/")
    await ask(page, "think about it")
    await expect(answer(page).locator(".tool summary")).to_contain_text("get_weather")
    await expect(answer(page).locator("pre").first).to_have_text('{ "city": "Rome", "days": 3 }')
    await expect(answer(page).locator("details").first).to_contain_text("First this, then that.")
    await expect(answer(page).locator("> .text")).to_have_text("So it is.")
    await button(page, "Regenerate").wait_for()
    await ask(page, "markup please")
    await expect(answer(page)).to_have_text(MARKUP)
    assert await answer(page).locator("b, img, script").count() == 0


async def test_errors_are_shown_and_a_message_is_never_lost(open_page: OpenPage, site: Site) -> None:
    async with Cable(site) as cable:
        page = await open_page("/react/", base=cable.url)
        await ask(page, "busy please")
        await expect(page.get_by_role("alert")).to_contain_text("is busy")
        await page.reload()
        await expect(page.get_by_role("alert")).to_contain_text("is busy")
        cable.cut()
        await ask(page, "words please")
        await expect(page.get_by_role("alert")).to_have_text("The site could not be reached.")
        cable.mend()
        await button(page, "Try again").click()
        await expect(answer(page)).to_have_text(WORDS)
        await expect(page.locator("li.user")).to_have_text(["busy please", "words please"])


async def test_calls_that_ask_for_approval_get_it(open_page: OpenPage) -> None:
    page = await open_page("/react/")
    await ask(page, "mail to us")
    await expect(button(page, "Approve")).to_have_count(2)
    await page.reload()
    await button(page, "Approve").first.click()
    await expect(button(page, "Approve")).to_have_count(1)
    await button(page, "Deny").click()
    for _ in range(2):
        cards = answer(page).locator(".tool")
        await expect(cards.first.locator("small")).to_have_text("done")
        await expect(cards.first.locator("pre").last).to_have_text("sent")
        await expect(cards.last.locator("small")).to_have_text("denied")
        await expect(answer(page).locator("> .text")).to_have_text(["So be it.", "So be it."])
        await expect(button(page, "Regenerate")).to_be_visible()
        await page.reload()


def answer(page: Page) -> Locator:
    return page.locator("li.assistant").last


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name)


async def ask(page: Page, prompt: str) -> None:
    await page.get_by_label("Message", exact=True).fill(prompt)
    await page.get_by_label("Message", exact=True).press("Enter")
