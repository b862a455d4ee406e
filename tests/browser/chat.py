"""The chat page for tests: its elements, and what a person does there."""

from __future__ import annotations

import asyncio
import time

from playwright.async_api import Locator, Page, expect

WATCH = """() => {
  const texts = [];
  let isOver = false;
  const look = () => {
    const answer = [...document.querySelectorAll(".chat-message[data-role=assistant]")].at(-1);
    const text = answer?.querySelector(".chat-parts > .chat-text")?.innerText;
    if (text && text !== texts.at(-1)) texts.push(text);
  };
  const frame = () => {
    look();
    if (!isOver) requestAnimationFrame(frame);
  };
  window.endWatch = () => {
    look();
    isOver = true;
    return texts;
  };
  frame();
}"""


class Chat:
    """The chat page. Its locators are live: they always find what is on the page now."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.box = page.get_by_label("Message", exact=True)
        self.send_button = page.get_by_role("button", name="Send", exact=True)
        self.stop_button = page.get_by_role("button", name="Stop", exact=True)
        self.retry_button = page.get_by_role("button", name="Try again")
        self.edit_button = page.get_by_role("button", name="Edit", exact=True)
        self.edit_box = page.get_by_label("Edit your message").locator("visible=true")
        self.regenerate_button = page.get_by_role("button", name="Regenerate")
        self.previous_button = page.get_by_role("button", name="Previous version")
        self.next_button = page.get_by_role("button", name="Next version")
        self.jump_button = page.get_by_role("button", name="Jump to the latest message")
        self.log = page.get_by_role("log", name="Messages")
        self.messages = page.locator("article.chat-message")
        self.questions = page.locator(".chat-message[data-role=user]")
        self.answer = page.locator(".chat-message[data-role=assistant]").last
        self.text = self.answer.locator(".chat-parts > .chat-text")
        self.note = self.answer.locator(".chat-note p")
        self.status = page.get_by_role("status")

    async def ask(self, prompt: str) -> None:
        """Types a message and presses Enter."""
        await self.box.fill(prompt)
        await self.box.press("Enter")

    async def edit(self, prompt: str, number: int = 0) -> None:
        """Edits the question with that number, counted from 0, and sends it."""
        await self.edit_button.nth(number).click()
        await expect(self.edit_box).not_to_have_value("")
        await self.edit_box.fill(prompt)
        await self.page.get_by_role("button", name="Ask again").click()

    async def has_begun(self, text: str = "word3") -> None:
        """Waits until the answer shows `text`."""
        await expect(self.text).to_contain_text(text)

    async def is_idle(self) -> None:
        """Waits until the composer can send again."""
        await expect(self.send_button).to_be_visible()

    async def written(self) -> str:
        """The text of the last answer now."""
        return await self.text.inner_text() if await self.text.count() else ""

    async def growth(self, seconds: float = 15) -> list[str]:
        """The different texts that the answer shows while it is written. It looks ten times a second."""
        seen: list[str] = []
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            is_over = bool(seen) and await self.send_button.is_visible()
            text = await self.written()
            if text and text not in seen[-1:]:
                seen.append(text)
            if is_over:
                break
            await asyncio.sleep(0.1)
        return seen

    async def watch(self) -> None:
        """Lets the page note the text of its last answer in each of its frames, from now on. See `drawn`.

        `growth` asks the page from outside. On a busy machine it misses most of an answer, or all of a short one.
        """
        await self.page.evaluate(WATCH)

    async def drawn(self, seconds: float) -> list[str]:
        """The different texts that the page has drawn since `watch`. Waits until it can send again."""
        await expect(self.send_button).to_be_visible(timeout=1000 * seconds)
        texts: list[str] = await self.page.evaluate("() => window.endWatch()")
        return texts

    async def distance_from_end(self) -> float:
        """The distance from the visible part to the end of the messages, in pixels."""
        script = "log => log.scrollHeight - log.clientHeight - log.scrollTop"
        distance: float = await self.log.evaluate(script)
        return distance


async def overflows(locator: Locator) -> bool:
    """True if an element is wider than its visible part."""
    wider: bool = await locator.evaluate("element => element.scrollWidth > element.clientWidth")
    return wider
