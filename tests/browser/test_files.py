"""Files on the page: chosen, pasted, dropped, refused, removed, sent, and shown again after a reload."""

from __future__ import annotations

import re
from base64 import b64encode
from typing import Any

from playwright.async_api import expect

from tests.browser.by_prompt import ELSEWHERE
from tests.browser.chat import Chat
from tests.pictures import PDF, png

PICTURE = png(320, 200)
CAT = {"name": "cat.png", "mimeType": "image/png", "buffer": PICTURE}
NOTES = {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"Notes"}
# Dispatches the event that a browser sends for a pasted or dropped file.
OFFER = """(element, {kind, name, type, content, text}) => {
    const bytes = Uint8Array.from(atob(content), char => char.charCodeAt(0));
    const data = new DataTransfer();
    data.items.add(new File([bytes], name, {type}));
    if (text) data.setData("text/plain", text);
    const event = kind === "paste"
        ? new ClipboardEvent(kind, {clipboardData: data, bubbles: true, cancelable: true})
        : new DragEvent(kind, {dataTransfer: data, bubbles: true, cancelable: true});
    element.dispatchEvent(event);
}"""


def offer(kind: str, name: str) -> dict[str, str]:
    return {"kind": kind, "name": name, "type": "image/png", "content": b64encode(PICTURE).decode()}


async def is_drawn(picture: Any) -> bool:
    drawn: bool = await picture.evaluate("async image => { await image.decode(); return image.naturalWidth === 320 }")
    return drawn


async def test_files_are_sent_with_a_message_and_shown_again(chat: Chat) -> None:
    field, chips = chat.page.get_by_label("Attach files"), chat.page.get_by_role("list", name="Files to send")
    await field.set_input_files([CAT, NOTES])  # type: ignore[list-item]
    await expect(chips.locator(".chat-chip[data-state=done]")).to_have_count(2)
    assert await is_drawn(chips.locator("img").first)
    await chat.box.evaluate(OFFER, offer("paste", "pasted.png"))
    await chat.box.evaluate(OFFER, {**offer("paste", "cells.png"), "text": "1\t2"})  # a spreadsheet offers both
    await chat.log.evaluate(OFFER, offer("dragover", "dropped.png"))
    await expect(chat.page.locator(".chat[data-dropping]")).to_have_count(1)
    await chat.page.locator(".chat-sidebar").evaluate(OFFER, offer("drop", "dropped.png"))
    await expect(chips.get_by_text("dropped.png")).to_be_visible()
    await chips.get_by_role("button", name="Remove: pasted.png").press("Enter")
    await expect(chips.get_by_role("listitem")).to_have_count(3)
    await chat.ask("words please")
    await expect(chips).to_be_hidden()
    for _ in range(2):
        await chat.is_idle()
        pictures = chat.questions.locator(".chat-image img")
        assert [await picture.get_attribute("alt") for picture in await pictures.all()] == ["cat.png", "dropped.png"]
        assert await is_drawn(pictures.last)
        await expect(chat.questions.get_by_role("link", name="notes.txt")).to_have_attribute(
            "href", re.compile("^/api/files/")
        )
        await expect(chat.questions.locator(".chat-text")).to_have_text("words please")
        await chat.page.reload()


async def test_what_is_said_to_screen_readers_is_not_written_into_a_file(chat: Chat) -> None:
    await chat.page.get_by_label("Attach files").set_input_files([CAT])  # type: ignore[list-item]
    chip = chat.page.locator(".chat-chip")
    await expect(chip).to_have_attribute("data-state", "done")
    await chat.page.get_by_role("button", name="words for me").click()
    await expect(chat.page.locator(".chat > [role=status]")).to_have_text("The answer is complete.")
    await expect(chip.get_by_role("status")).to_be_empty()


async def test_many_files_leave_the_button_on_the_screen(open_chat: Any) -> None:
    chat: Chat = await open_chat("/", viewport={"width": 320, "height": 568})
    await chat.page.get_by_label("Attach files").set_input_files([NOTES] * 24)  # type: ignore[list-item]
    await expect(chat.page.locator(".chat-chip")).to_have_count(24)
    await expect(chat.send_button).to_be_in_viewport(ratio=1)


async def test_a_refused_file_says_why_and_must_be_removed_before_sending(chat: Chat) -> None:
    await chat.page.get_by_label("Attach files").set_input_files(
        [{"name": "cat.svg", "mimeType": "image/svg+xml", "buffer": b"<svg/>"}, {**CAT, "name": "x.gif"}]
    )
    refused = chat.page.locator(".chat-chip[data-state=failed]")
    await expect(refused).to_contain_text("Files of the type image/svg+xml are not accepted here")
    await chat.ask("words please")
    await expect(chat.messages).to_have_count(0)
    await expect(refused.get_by_role("button")).to_be_focused()
    await chat.page.keyboard.press("Enter")
    await expect(chat.box).to_be_focused()
    await chat.page.keyboard.press("Enter")
    await chat.is_idle()
    await expect(chat.questions.locator("img")).to_have_count(1)


async def test_a_refused_message_gets_its_files_back_and_needs_no_text(chat: Chat) -> None:
    await chat.page.get_by_label("Attach files").set_input_files(
        [{"name": "a.pdf", "mimeType": "application/pdf", "buffer": PDF}, CAT]  # type: ignore[list-item]
    )
    await chat.send_button.click()
    await expect(chat.note).to_contain_text("The model does not take files of the type application/pdf")
    await expect(chat.page.locator(".chat-chip")).to_have_count(2)
    await chat.page.get_by_role("button", name="Remove: a.pdf").click()
    await chat.send_button.click()
    await expect(chat.page).to_have_title("cat.png")
    await chat.is_idle()
    await expect(chat.questions.locator("img")).to_have_count(1)


async def test_without_javascript_a_form_sends_files(open_chat: Any) -> None:
    chat: Chat = await open_chat("/", java_script_enabled=False)
    await chat.page.get_by_label("Attach files").set_input_files([CAT, NOTES])  # type: ignore[list-item]
    await chat.box.fill("lines please")
    await chat.send_button.click()
    await chat.has_begun("Line 120")
    await expect(chat.questions.locator("img")).to_have_js_property("naturalWidth", 320)
    await expect(chat.questions.get_by_role("link", name="notes.txt")).to_be_visible()


async def test_an_edit_keeps_the_files(open_chat: Any) -> None:
    chat = await open_chat("/")
    await chat.page.get_by_label("Attach files").set_input_files([CAT, NOTES])
    await expect(chat.page.locator(".chat-chip[data-state=done]")).to_have_count(2)
    await chat.ask("words please")
    await chat.is_idle()
    await chat.edit("markup instead")
    await chat.is_idle()
    for _ in range(2):
        await expect(chat.questions.locator(".chat-text")).to_have_text("markup instead")
        await expect(chat.questions.get_by_role("link", name="notes.txt")).to_be_visible()
        assert await is_drawn(chat.questions.locator(".chat-image img"))
        await chat.page.reload()
    plain = await open_chat(
        chat.page.url, java_script_enabled=False, storage_state=await chat.page.context.storage_state()
    )
    await plain.edit("words again")
    await expect(plain.questions.locator(".chat-text")).to_have_text("words again")
    await expect(plain.questions.get_by_role("link", name="notes.txt")).to_be_visible()


async def test_a_file_that_a_model_names_makes_no_request_and_gets_no_address_but_a_file_s(chat: Chat) -> None:
    requests: list[str] = []
    chat.page.on("request", lambda request: requests.append(request.url))
    await chat.ask("elsewhere")
    links = chat.answer.locator(".chat-file")
    for _ in ("while it streams", "after a reload"):
        await chat.is_idle()
        await expect(links).to_have_count(len(ELSEWHERE))
        assert await links.evaluate_all("links => links.filter((link) => link.hasAttribute('href')).length") == 0
        await expect(chat.answer.locator("img")).to_have_count(0)
        await chat.page.reload()
    assert [url for url in requests if "/admin/" in url or "/api/files/" in url] == []
