"""Takes docs/chat.png: the chat page of the example site while it answers. Run as `python -m docs.screenshot`."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.servers import serve

PICTURE = Path(__file__).parent / "chat.png"
LISTED = (
    "Packing list for three days in Oslo",
    "Explain database locks to a new colleague",
    "Names for a small tabby cat",
    "Why is the sky blue?",
)
QUESTIONS = ("What happens to an answer when I close the tab?", "And if I press Stop?")


def main() -> None:
    with tempfile.TemporaryDirectory() as directory, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1200, "height": 660}, color_scheme="light")
        with serve("uvicorn", Path(directory), settings="tests.browser.settings") as site:
            _talk(page, site.url)
            page.screenshot(path=PICTURE)
        browser.close()


def _talk(page: Page, url: str) -> None:
    """Makes a few conversations for the list, then one whose answer is still being written."""
    page.goto(url)
    for title in LISTED:
        page.request.post(f"{url}/api/chat", data={"prompt": title})
    page.goto(url)
    for question in QUESTIONS:
        page.get_by_role("button", name="Send").wait_for()
        page.get_by_label("Message", exact=True).fill(question)
        page.keyboard.press("Enter")
        page.get_by_role("button", name="Stop").wait_for()
    page.get_by_text("It does not matter which").wait_for()


if __name__ == "__main__":
    main()
