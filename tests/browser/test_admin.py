"""The admin as reviewers use it: lists that fit, the keyboard, Watch, Stop and the replay."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Dialog, Page, Route, expect

from tests.browser.by_prompt import WORDS
from tests.servers import Site, serve

ROOT = "from django.contrib.auth.models import User; User.objects.create_superuser('root', password='root')"
LISTS = ["conversation", "message", "generation", "staffaccess"]
ASK = """([key, prompt]) => fetch("/api/chat", {
    method: "POST", body: JSON.stringify({ id: key, prompt }) }).then((response) => response.text())"""
ASK_ONLY = """([key, prompt]) => fetch("/api/chat", {
    method: "POST", body: JSON.stringify({ id: key, prompt }) }).then((response) => response.status)"""
# The columns that end beyond the box in which the list scrolls.
CUT_COLUMNS = """() => {
    const edge = document.querySelector("#changelist .results").getBoundingClientRect().right;
    return [...document.querySelectorAll("#result_list thead th")]
        .filter((cell) => cell.getBoundingClientRect().right > edge + 1).map((cell) => cell.textContent.trim());
}"""
LONG_WORD = "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichenverordnung"
TOO_WIDE = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The site, with an account for its admin and two answers."""
    directory = tmp_path_factory.mktemp("desk")
    with serve("uvicorn", directory, settings="tests.browser.desk_settings") as running:
        running.manage("shell", "-v0", "-c", ROOT)
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def desk(open_chat: Any) -> Any:
    """Opens pages of the admin, signed in, as in `await desk(path, viewport=…)`."""

    async def open_page(path: str, **options: Any) -> Page:
        page: Page = (await open_chat("/admin/login/", **options)).page
        await page.fill("#id_username", "root")
        await page.fill("#id_password", "root")
        await page.click("[type=submit]")
        await page.goto(path)
        return page

    return open_page


async def ask(page: Page, key: str, prompt: str = "words please") -> None:
    await page.evaluate(ASK, [key, prompt])


async def open_conversation(page: Page, key: str) -> None:
    await page.goto(f"/admin/streaming/conversation/?q={key}")
    await page.click("#result_list .field-shown_title a")


@pytest.mark.parametrize(("locale", "scheme"), [("en", "light"), ("de", "dark"), ("fr", "light")])
async def test_every_column_of_a_list_is_seen_on_a_common_screen(desk: Any, locale: str, scheme: Any) -> None:
    page = await desk("/admin/", viewport={"width": 1440, "height": 900}, color_scheme=scheme, locale=locale)
    await ask(page, f"columns-{locale}", f"{LONG_WORD} please")
    await ask(page, f"failed-{locale}", "busy please")
    for name in LISTS:
        await page.goto(f"/admin/streaming/{name}/")
        assert await page.evaluate(CUT_COLUMNS) == [], name


# What a theme says about its colours -> whether the colours are dark on a light system, and on a dark one.
THEMES = [
    ({}, (False, True)),
    ({"data-theme": "auto"}, (False, True)),
    ({"data-theme": "light"}, (False, False)),
    ({"data-theme": "dark"}, (True, True)),
    ({"class": "light"}, (False, False)),
    ({"class": "dark"}, (True, True)),
]
PAINT = """(said) => {
    for (const name of ["data-theme", "class"]) document.documentElement.removeAttribute(name);
    for (const [name, value] of Object.entries(said)) document.documentElement.setAttribute(name, value);
    return getComputedStyle(document.querySelector(".streaming-status-finished")).backgroundColor;
}"""


async def test_colours_follow_the_theme_or_else_the_system(desk: Any) -> None:
    page = await desk("/admin/")
    await ask(page, "colours")
    await page.goto("/admin/streaming/conversation/")
    shades = {False: "rgb(217, 242, 223)", True: "rgb(23, 70, 42)"}
    for system, at in (("light", 0), ("dark", 1)):
        await page.emulate_media(color_scheme=system)
        for said, is_dark in THEMES:
            assert await page.evaluate(PAINT, said) == shades[is_dark[at]], (system, said)


async def test_transcript_fits_a_phone(desk: Any) -> None:
    page = await desk("/admin/", viewport={"width": 390, "height": 800})
    await ask(page, "phone", "weather please")
    await open_conversation(page, "phone")
    await expect(page.locator(".streaming-message")).to_have_count(2)
    assert await page.evaluate(TOO_WIDE) == 0
    boxes = page.locator(".streaming-review input[type=checkbox]")
    widths = [await boxes.nth(number).evaluate("box => box.offsetWidth") for number in range(await boxes.count())]
    assert widths
    assert max(widths) < 30


def _init(key: str, code: str) -> dict[str, Any]:
    return {"key": key, "code": code, "bubbles": True, "cancelable": True}


async def test_reviewer_works_with_the_keyboard_alone(desk: Any) -> None:
    page = await desk("/admin/")
    for key in ("keys-one", "keys-two"):
        await ask(page, key)
    await page.goto("/admin/streaming/message/next/?q=word2")
    first = page.url
    saved: list[str] = []

    async def delay(route: Route) -> None:
        saved.append("begun")
        await asyncio.sleep(0.2)
        await route.fulfill(response=await route.fetch())
        saved.append("done")

    await page.route("**/review/", delay)
    for key in "j34":
        await page.keyboard.press(key)
    await expect(page.locator("[data-review-state]")).to_have_text("★★★★ · root")
    assert saved == ["begun", "done"] * 2
    await page.unroute_all()
    await page.keyboard.press("f")
    await expect(page.locator("[data-review-state]")).to_contain_text("flagged")
    for key, code in (("٢", "Digit2"), ("а", "KeyF")):  # an Arabic digit, and a Cyrillic letter
        await page.evaluate("init => document.body.dispatchEvent(new KeyboardEvent('keydown', init))", _init(key, code))
    await expect(page.locator("[data-review-state]")).to_have_text("★★ · root")
    for key in "4f":
        await page.keyboard.press(key)
    await expect(page.locator("[data-review-state]")).to_have_text("★★★★ · flagged · root")
    await page.locator("textarea").fill("j4n is typed, not pressed")
    await page.locator("body").click(position={"x": 5, "y": 5})
    await page.keyboard.press("n")
    await page.wait_for_url(lambda url: url != first)
    await page.goto(first)
    await expect(page.locator("[data-review-state]")).to_contain_text("reviewed by root")
    await expect(page.locator("[name$=-rating][value='4']")).to_be_checked()
    await expect(page.locator("[name$=-flag]")).to_be_checked()


async def test_key_saves_what_was_typed_before_it_leads_to_the_next_answer(desk: Any) -> None:
    page = await desk("/admin/")
    for key in ("typed-one", "typed-two"):
        await ask(page, key)
    await page.goto("/admin/streaming/message/next/?q=word2")
    first = page.url
    await page.locator("textarea").fill("too long " * 2000)
    await leave(page)
    await expect(page.locator("[data-review-state]")).to_contain_text("10000 characters")
    await page.locator("textarea").fill("kept")
    await page.check("[name$=-label][value='wrong']")
    await page.route("**/review/", lambda route: route.fulfill(status=200, content_type="text/html", body="signed out"))
    await leave(page)
    await expect(page.locator("[data-review-state]")).to_have_text("✗ 200")
    assert page.url == first
    await page.unroute_all()
    await page.keyboard.press("n")
    await page.wait_for_url(lambda url: url != first)
    await page.goto(first)
    await expect(page.locator("textarea")).to_have_value("kept")
    await expect(page.locator("[name$=-label][value='wrong']")).to_be_checked()


async def leave(page: Page) -> None:
    """Presses `n` outside of all fields, and waits for the site's reply to the save."""
    await page.locator("body").click(position={"x": 5, "y": 5})
    async with page.expect_response("**/review/"):
        await page.keyboard.press("n")


async def test_browser_asks_before_a_review_is_lost(desk: Any) -> None:
    page = await desk("/admin/")
    await ask(page, "lost")
    await ask(page, "lost", "words again")
    await open_conversation(page, "lost")
    notes = page.locator("textarea")
    await notes.nth(0).fill("first")
    await notes.nth(1).fill("second")
    asked: list[str] = []

    async def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        await dialog.dismiss()

    page.on("dialog", stay)
    save = page.get_by_role("button", name="Save", exact=True).nth(0)
    for leaving in (save, page.get_by_role("link", name="Next unreviewed")):
        await leaving.click()
        await expect(notes.nth(0)).to_have_value("first")
        await expect(notes.nth(1)).to_have_value("second")
    assert asked == ["beforeunload"] * 2
    await notes.nth(1).fill("")
    await save.click()
    await expect(page.locator("[data-review-state]").nth(0)).to_contain_text("reviewed by root")
    assert len(asked) == 2


async def test_review_works_without_the_script(desk: Any) -> None:
    page = await desk("/admin/")
    await ask(page, "buttons")
    await open_conversation(page, "buttons")
    await page.check("[name$=-label][value='wrong']")
    await page.get_by_role("button", name="Save", exact=True).click()
    await expect(page.locator("[data-review-state]")).to_contain_text("reviewed by root")
    await expect(page.locator("[name$=-label][value='wrong']")).to_be_checked()


async def test_running_answer_is_watched_and_stopped(desk: Any) -> None:
    page = await desk("/admin/")
    await page.evaluate(ASK_ONLY, ["watched", "slow please"])
    await open_conversation(page, "watched")
    await page.route("**/watch/", lambda route: route.fulfill(status=503), times=1)
    await page.click("[data-watch]")
    await page.click("[data-watch]")  # it was refused, and can be tried again
    await expect(page.locator("[data-live]")).to_contain_text("word3")
    await page.click("button:has-text('Stop')")
    await expect(page.locator(".streaming-status-cancelled, .streaming-status-running")).to_have_count(1)
    while not await page.locator(".streaming-status-cancelled").count():  # the row is settled a moment later
        await page.reload()
    await expect(page.locator(".streaming-assistant .streaming-rich")).to_contain_text("word3")


async def test_time_goes_to_the_right_in_every_language(desk: Any) -> None:
    page = await desk("/admin/", locale="ar")
    await ask(page, "charts")
    await page.goto("/admin/streaming/generation/usage/?by=model")
    axis = await page.locator(".streaming-chart .axis").bounding_box() or {}
    for text in await page.locator(".streaming-chart text").all():
        box = await text.bounding_box() or {}
        assert box["x"] >= axis["x"] - 1
        assert box["x"] + box["width"] <= axis["x"] + axis["width"] + 1


async def test_replay_shows_the_answer_with_its_timing(desk: Any) -> None:
    page = await desk("/admin/")
    await ask(page, "replayed")
    await open_conversation(page, "replayed")
    await page.click("text=Replay")
    shown = page.locator("[data-text]")
    await expect(shown).to_have_text("")
    await page.check("[name=speed][value='4']")
    await page.click("[data-play]")
    await expect(shown).to_contain_text("word1")
    await page.check("[name=speed][value='0']")
    await expect(shown).to_have_text(WORDS)
    await page.locator("[data-scrub]").fill("0")
    await expect(shown).to_have_text("")
    assert await page.locator(".streaming-timeline rect.text").count() > 0
