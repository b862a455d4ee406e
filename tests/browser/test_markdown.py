"""Rendered answers on the chat page: nothing flashes, nothing settled is touched, and a reload shows the same."""

from __future__ import annotations

from playwright.async_api import expect

from tests.browser.chat import Chat
from tests.browser.conftest import OpenChat
from tests.markdown.corpus import RICH

# What the page itself adds, and the order of attributes, are no part of the comparison.
SHOWN = """text => {
  const copy = text.cloneNode(true);
  for (const added of copy.querySelectorAll("[data-added]")) added.remove();
  for (const one of copy.querySelectorAll("*")) {
    const attributes = Array.from(one.attributes, ({ name, value }) => [name, value]).sort();
    for (const [name] of attributes) one.removeAttribute(name);
    for (const [name, value] of attributes) one.setAttribute(name, value);
  }
  return copy.innerHTML;
}"""

WATCH = """() => {
  window.seen = []; window.lost = []; let shown = "";
  const log = document.querySelector(".chat-messages");
  const read = () => {
    const text = log.querySelector("[data-role=assistant]:last-child .chat-text");
    if (!text) return;
    const now = Array.from(text.innerText.matchAll(/\\S/gu), String).join("");
    if (!now.startsWith(shown)) window.lost.push([shown.slice(-60), now.slice(-60)]);
    shown = now;
    for (const block of text.children) if (!window.seen.includes(block)) window.seen.push(block);
  };
  new MutationObserver(read).observe(log, { subtree: true, childList: true, characterData: true });
}"""


FENCES = """() => {
  window.fences = [];
  new MutationObserver(() => {
    const code = document.querySelector("[data-language=python] code[data-open]");
    if (code && !code.querySelector("span")) window.fences.push(code.textContent);
  }).observe(document.querySelector(".chat-messages"), { subtree: true, childList: true, characterData: true });
}"""


# What changes in the document while an answer is written: within the answer, and elsewhere among the messages.
COUNT = """() => {
  window.changes = { inside: 0, outside: 0 };
  new MutationObserver((records) => {
    const answer = document.querySelector(".chat-message:last-child");
    for (const { target } of records) window.changes[answer.contains(target) ? "inside" : "outside"] += 1;
  }).observe(document.querySelector(".chat-messages"), { subtree: true, childList: true, characterData: true });
}"""


async def test_nothing_flashes_and_each_block_is_one_element_from_its_beginning(chat: Chat) -> None:
    await chat.ask("markup first")
    await chat.is_idle()
    await chat.page.evaluate(WATCH)
    await chat.page.evaluate(COUNT)
    await chat.ask("rich please")
    await chat.is_idle()
    changes = await chat.page.evaluate("window.changes")
    assert 0 < changes["inside"] < 2 * len(RICH.split()), "a word costs less than two changes"
    assert changes["outside"] < 20, "the question and the answer are added, and nothing above them is touched"
    assert await chat.page.evaluate("window.lost") == []
    blocks = await chat.text.evaluate(
        "text => [text.children.length, window.seen.filter(one => one.isConnected).length]"
    )
    assert blocks[0] == blocks[1] > 10
    replaced = await chat.page.evaluate("window.seen.filter(one => !one.isConnected).map(one => one.outerHTML)")
    assert len(replaced) <= 3, replaced  # a paragraph became a heading or a table


async def test_reload_shows_the_same(chat: Chat) -> None:
    await chat.ask("rich please")
    await chat.is_idle()
    live = await chat.text.evaluate(SHOWN)
    await chat.page.reload()
    assert await chat.text.evaluate(SHOWN) == live
    assert await chat.text.locator("math").count() == 2


async def test_page_that_is_opened_in_the_middle_shows_the_same(chat: Chat, open_chat: OpenChat) -> None:
    await chat.ask("rich please")
    await chat.has_begun("never touches")
    await chat.page.reload()
    await chat.is_idle()
    live = await chat.text.evaluate(SHOWN)
    await chat.page.reload()
    assert await chat.text.evaluate(SHOWN) == live


async def test_selected_text_stays_selected_while_the_answer_goes_on(chat: Chat) -> None:
    await chat.ask("rich please")
    await chat.has_begun("settles each")
    await chat.text.locator("p").first.evaluate("node => getSelection().selectAllChildren(node)")
    selected = await chat.page.evaluate("String(getSelection())")
    assert "at once" in selected
    await chat.is_idle()
    assert await chat.page.evaluate("String(getSelection())") == selected


async def test_code_is_code_from_its_first_line_and_coloured_at_its_end(chat: Chat) -> None:
    await chat.page.evaluate(FENCES)
    await chat.ask("rich please")
    code = chat.text.locator(".md-code[data-language=python] code")
    await chat.is_idle()
    open_fences = await chat.page.evaluate("window.fences")
    assert len(open_fences) > 3
    assert all(RICH.partition("```python\n")[2].startswith(text) for text in open_fences)
    assert await code.locator("span.hl-k").count() > 2
    assert await code.inner_text() == RICH.partition("```python\n")[2].partition("\n```")[0]


async def test_copied_message_is_its_markdown_and_copied_code_is_the_code(open_chat: OpenChat) -> None:
    chat: Chat = await open_chat("/", permissions=["clipboard-read", "clipboard-write"])
    await chat.ask("rich please")
    await chat.is_idle()
    await chat.answer.locator(".chat-actions").get_by_role("button", name="Copy", exact=True).click()
    await expect(chat.status).to_contain_text("opied")
    assert await chat.page.evaluate("navigator.clipboard.readText()") == RICH
    await chat.text.locator(".md-code[data-language=js]").get_by_role("button", name="Copy the code").click()
    await chat.page.wait_for_function("navigator.clipboard.readText().then(text => text === 'morph(tail);')")


async def test_answer_is_rendered_without_a_script(open_chat: OpenChat) -> None:
    chat: Chat = await open_chat("/", java_script_enabled=False)
    await chat.box.fill("rich please")
    await chat.send_button.click()
    await expect(chat.text.locator("table td").first).to_have_text("Deutsch")
    assert await chat.text.locator("h4").inner_text() == "How a stream becomes a page"


async def test_what_a_person_writes_is_shown_as_it_was_written(chat: Chat) -> None:
    await chat.ask("words **please** `now`")
    await chat.is_idle()
    assert await chat.questions.locator(".chat-text").inner_text() == "words **please** `now`"
    await chat.page.reload()
    assert await chat.questions.locator(".chat-text").inner_text() == "words **please** `now`"


async def test_the_cells_of_a_column_are_in_line(chat: Chat) -> None:
    await chat.ask("sheets please")
    await chat.is_idle()
    aligned = "cells => [...new Set(cells.map((cell) => getComputedStyle(cell).textAlign))]"
    for number, side in enumerate(("right", "left")):
        table = chat.text.locator("table").nth(number)
        assert await table.locator("th, td").evaluate_all(aligned) == [side]


async def test_arabic_and_english_each_have_their_direction(chat: Chat) -> None:
    await chat.ask("rich please")
    await chat.is_idle()
    direction = "nodes => nodes.map(node => getComputedStyle(node).direction)"
    assert await chat.text.locator("> p").evaluate_all(direction) == ["ltr", "ltr", "rtl", "ltr", "ltr"]
    cells = chat.text.locator("td:first-child")
    assert await cells.evaluate_all(direction) == ["ltr", "rtl"]
    await chat.page.evaluate("document.documentElement.dir = 'rtl'")
    assert await chat.text.locator("table").evaluate_all(direction) == ["ltr"]
    code = await chat.text.locator(".md-code[data-language=js]").bounding_box()
    button = await chat.text.locator(".md-code[data-language=js] .chat-copy").bounding_box()
    assert code
    assert button
    assert button["x"] > code["x"] + code["width"] / 2


async def test_link_within_an_answer_leads_to_its_heading_and_opens_no_tab(chat: Chat) -> None:
    await chat.ask("outline please")
    await chat.is_idle()
    address = chat.page.url
    heading = chat.answer.get_by_role("heading", name="How to go on?")
    await chat.answer.get_by_role("link", name="go off").click()
    await expect(heading).not_to_be_in_viewport()
    await chat.answer.get_by_role("link", name="Go on").click()
    await expect(heading).to_be_in_viewport()
    assert chat.page.context.pages == [chat.page]
    assert chat.page.url == address
