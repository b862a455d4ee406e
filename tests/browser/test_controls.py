"""The controls of the page: copy, fold, continue, the choice of a model, suggestions, times and tokens."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.async_api import Route, expect

from tests.browser.by_prompt import MARKUP, WORDS
from tests.browser.chat import Chat, overflows

LONG = "\n".join(f"Line {number}" for number in range(40))


async def test_a_message_is_copied_as_it_was_written(open_chat: Any) -> None:
    chat: Chat = await open_chat("/", permissions=["clipboard-read", "clipboard-write"])
    await chat.ask("markup **please**")
    await chat.is_idle()
    copied = "navigator.clipboard.readText()"
    for message, text in ((chat.answer, MARKUP), (chat.questions, "markup **please**")):
        await message.locator(".chat-copy").click()
        await expect(message.locator(".chat-copy[data-done]")).to_be_visible()
        await expect(chat.status).to_have_text("Copied.")
        assert await chat.page.evaluate(copied) == text
        await chat.page.evaluate("navigator.clipboard.writeText('')")


async def test_a_long_question_is_folded_and_can_be_unfolded(chat: Chat) -> None:
    await chat.ask(f"words {LONG}")
    await chat.is_idle()
    for _ in range(2):
        height = (await chat.questions.locator(".chat-parts").bounding_box() or {})["height"]
        await chat.questions.get_by_role("button", name="Show all").click()
        assert (await chat.questions.locator(".chat-parts").bounding_box() or {})["height"] > 2 * height
        await chat.questions.get_by_role("button", name="Show less").click()
        assert (await chat.questions.locator(".chat-parts").bounding_box() or {})["height"] == height
        await chat.page.reload()
    await chat.ask("words please")
    await expect(chat.questions.last.get_by_role("button", name="Show all")).to_be_hidden()


@pytest.mark.parametrize("has_script", [True, False])
async def test_an_answer_gets_a_thumb_and_a_comment(open_chat: Any, has_script: bool) -> None:
    chat: Chat = await open_chat("/", java_script_enabled=has_script)
    good, bad = (chat.answer.get_by_role("button", name=f"{name} answer") for name in ("Good", "Bad"))
    comment = chat.answer.get_by_label("Your comment")
    await chat.box.fill("markup please")
    await chat.send_button.click()
    await chat.is_idle()
    await expect(chat.text).to_have_text(MARKUP)
    await expect(chat.answer.get_by_text("Comment", exact=True)).to_be_hidden()
    await good.click()
    await expect(good).to_have_attribute("aria-pressed", "true")
    await bad.click()
    await expect(bad).to_have_attribute("aria-pressed", "true")
    await expect(good).to_have_attribute("aria-pressed", "false")
    if not has_script:
        await chat.answer.get_by_text("Comment", exact=True).click()
    await comment.fill("Wrong city.")
    if has_script:
        await comment.press("Enter")
        await expect(chat.status).to_have_text("Thank you for your feedback.")
    else:
        await chat.answer.get_by_role("button", name="Send comment").click()
    await expect(comment).to_be_hidden()
    await chat.page.reload()
    await expect(bad).to_have_attribute("aria-pressed", "true")
    await chat.answer.get_by_text("Comment", exact=True).click()
    await expect(comment).to_have_value("Wrong city.")
    await chat.answer.get_by_text("Close", exact=True).click()
    await expect(comment).to_be_hidden()
    await bad.click()
    await expect(bad).to_have_attribute("aria-pressed", "false")
    await chat.page.reload()
    await expect(bad).to_have_attribute("aria-pressed", "false")
    await expect(chat.answer.get_by_text("Comment", exact=True)).to_be_hidden()


@pytest.mark.parametrize("has_script", [True, False])
async def test_an_answer_at_its_limit_is_continued(open_chat: Any, has_script: bool) -> None:
    chat: Chat = await open_chat("/", java_script_enabled=has_script)
    await chat.box.fill("limited please")
    await chat.send_button.click()
    await expect(chat.note).to_have_text("The answer reached its length limit.")
    if has_script:
        await chat.box.fill("my next question")
    await chat.page.get_by_role("button", name="Continue").click()
    await expect(chat.text).to_have_text("no further.")
    await expect(chat.questions.last.locator(".chat-text")).to_have_text("Continue.")
    await expect(chat.messages).to_have_count(4)
    await expect(chat.box).to_have_value("my next question" if has_script else "")


async def test_a_stopped_answer_can_be_continued_but_a_failed_one_only_tried_again(chat: Chat) -> None:
    await chat.ask("hang please")
    await chat.has_begun()
    await chat.stop_button.click()
    await expect(chat.note).to_have_text("Stopped.")
    await expect(chat.page.get_by_role("button", name="Continue")).to_be_visible()
    await chat.ask("busy today")
    await expect(chat.note).to_contain_text("The model is busy.")
    await expect(chat.retry_button).to_be_visible()
    await expect(chat.page.get_by_role("button", name="Continue")).to_be_hidden()


@pytest.mark.parametrize("has_script", [True, False])
async def test_a_person_chooses_the_model(open_chat: Any, has_script: bool) -> None:
    chat: Chat = await open_chat("/", java_script_enabled=has_script)
    picker = chat.page.get_by_label("Model")
    await expect(picker).to_have_value("default")
    await picker.select_option("Thorough")
    await chat.box.fill("markup please")
    await chat.send_button.click()
    await expect(chat.text).to_have_text(MARKUP)
    await chat.is_idle()
    await chat.page.reload()
    await expect(picker).to_have_value("thorough")
    url = chat.page.url.replace("/chat/", "/api/chat/").rstrip("/")
    loaded = await (await chat.page.request.get(url)).json()
    assert loaded["messages"][-1]["metadata"]["model"] == "by-prompt-2"


@pytest.mark.parametrize("has_script", [True, False])
async def test_a_suggestion_is_sent_with_one_press(open_chat: Any, has_script: bool) -> None:
    chat: Chat = await open_chat("/", java_script_enabled=has_script)
    await chat.page.get_by_role("button", name="words for me").click()
    await expect(chat.text).to_have_text(WORDS)
    await expect(chat.questions.locator(".chat-text")).to_have_text("words for me")


async def test_the_colours_are_chosen_and_stay_chosen(open_chat: Any) -> None:
    chat: Chat = await open_chat("/", color_scheme="light")
    ground = "getComputedStyle(document.querySelector('.chat-sidebar')).backgroundColor"
    light = await chat.page.evaluate(ground)
    for label, is_dark in (("light", False), ("dark", True)):
        await chat.page.locator(".chat-theme").click()
        await expect(chat.page.get_by_role("button", name=f"Colours: {label}")).to_be_visible()
        assert (await chat.page.evaluate(ground) != light) is is_dark
    await chat.page.reload()
    assert await chat.page.evaluate(ground) != light
    await chat.page.locator(".chat-theme").click()
    assert await chat.page.evaluate(ground) == light


@pytest.mark.parametrize("asked", [{"forced_colors": "active"}, {"reduced_motion": "reduce"}])
async def test_the_page_follows_what_people_ask_of_their_system(open_chat: Any, asked: dict[str, Any]) -> None:
    chat: Chat = await open_chat("/", **asked)
    await chat.ask("slow please")
    await chat.has_begun()
    style = "element => { const { animationName, backgroundColor } = getComputedStyle(element, '::after'); return %s }"
    caret = chat.text.locator("i")
    await expect(caret).to_have_count(1)
    if "reduced_motion" in asked:
        assert await caret.evaluate(style % "animationName") == "none"
    else:
        assert await caret.evaluate(style % "backgroundColor") == "rgb(0, 0, 0)"
        bubble = chat.questions.locator(".chat-parts")
        assert await bubble.evaluate("element => getComputedStyle(element).borderTopWidth") == "1px"


async def test_one_caret_shows_where_the_answer_goes_on(chat: Chat) -> None:
    await chat.ask("slow please")
    await chat.has_begun()
    carets = await chat.answer.evaluate("""article => [article, ...article.querySelectorAll("*")]
        .filter((element) => getComputedStyle(element, "::after").animationName === "chat-pulse").length""")
    assert carets == 1


async def test_nothing_moves_when_the_caret_goes(chat: Chat) -> None:
    await chat.ask("rich please")
    await chat.is_idle()
    heights = await chat.answer.evaluate("""article => [false, true].map((isBusy) => {
        article.toggleAttribute("aria-busy", isBusy);
        if (isBusy) article.setAttribute("aria-busy", "true");
        return article.getBoundingClientRect().height;
    })""")
    assert heights[0] == heights[1]


async def test_a_print_has_the_messages_and_no_controls(chat: Chat) -> None:
    await chat.ask(f"words {LONG}")
    await chat.is_idle()
    await chat.page.emulate_media(media="print")
    for hidden in (chat.box, chat.page.locator(".chat-sidebar"), chat.page.locator(".chat-actions").first):
        await expect(hidden).to_be_hidden()
    for part in (chat.questions.locator(".chat-parts"), chat.log):
        assert await part.evaluate("element => element.scrollHeight - element.clientHeight") <= 1


async def test_the_page_is_mirrored_for_languages_that_are_written_from_the_right(chat: Chat) -> None:
    await chat.ask("think please")
    await chat.is_idle()
    await chat.page.evaluate("document.documentElement.dir = 'rtl'")
    bubble = await chat.questions.locator(".chat-parts").bounding_box()
    answer = await chat.answer.bounding_box()
    sidebar = await chat.page.locator(".chat-sidebar").bounding_box()
    assert bubble
    assert answer
    assert sidebar
    assert bubble["x"] <= answer["x"] + 1
    assert sidebar["x"] > answer["x"] + answer["width"]
    for part in ("html", "body", ".chat-log", ".chat-main"):
        assert not await overflows(chat.page.locator(part))


async def test_messages_have_their_time_and_tokens(open_chat: Any) -> None:
    chat: Chat = await open_chat("/", timezone_id="Asia/Kolkata", locale="en-GB")
    await chat.ask("words please")
    await chat.is_idle()
    tokens = re.compile(r"^\d+ \+ \d+ tokens$")
    now = "new Intl.DateTimeFormat('en-GB', {timeStyle: 'short'}).format(new Date())"
    for _ in range(2):
        assert await chat.questions.locator("time").inner_text() == await chat.page.evaluate(now)
        await expect(chat.answer.locator("[data-usage]")).to_have_text(tokens)
        await chat.page.reload()


async def test_a_language_that_is_spelled_as_a_locale_does_not_stop_the_page(chat: Chat) -> None:
    async def misspell(route: Route) -> None:
        response = await route.fetch()
        await route.fulfill(
            response=response, body=re.sub('<html lang="[^"]*"', '<html lang="en_GB"', await response.text())
        )

    await chat.page.route(chat.page.url, misspell)
    await chat.page.reload()
    await expect(chat.page.locator("html")).to_have_attribute("lang", "en_GB")
    await chat.ask("words please")
    await expect(chat.answer.locator("time")).to_have_text(re.compile(r"^\d\d:\d\d$"))
