"""Takes the pictures of the chat page in docs/images: each state in each look, and an animation.

`make pictures` runs it.

The pictures have a palette, so that all of them together stay small.
"""

from __future__ import annotations

import io
import itertools
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from tests.servers import serve

IMAGES = Path(__file__).parent / "images"
COLOURS = 200
WIDE = {"width": 1000, "height": 640}
LOOKS: dict[str, dict[str, Any]] = {
    "light": {"viewport": WIDE, "color_scheme": "light"},
    "dark": {"viewport": WIDE, "color_scheme": "dark"},
    "mobile": {"viewport": {"width": 390, "height": 700}, "color_scheme": "light", "has_touch": True},
    "rtl": {"viewport": WIDE, "color_scheme": "light", "locale": "ar"},
}
LISTED = ("Packing list for three days in Oslo", "Explain database locks", "Names for a small tabby cat")
QUESTION = "How do I stream from Django?"
ARABIC = "كيف أبث جوابا من Django؟"
PROMPT = ".chat-composer textarea"
FRAME = 0.12  # seconds


def main() -> None:
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as directory, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        with serve("uvicorn", Path(directory), settings="docs.pictures_settings") as site:
            for look, options in LOOKS.items():
                for state in _states(_page(browser, site.url, look, options), look):
                    print(state)
            _animate(_page(browser, site.url, "light", {"viewport": {"width": 860, "height": 520}}))
        browser.close()
    print(sum(path.stat().st_size for path in IMAGES.iterdir()) // 1000, "kB")


def _page(browser: Browser, url: str, look: str, options: dict[str, Any]) -> Page:
    """A new visitor's page with a few conversations in its list."""
    page = browser.new_context(base_url=url, **options).new_page()
    page.goto("/")
    for title in LISTED:
        page.request.post(f"{url}/api/chat", data={"prompt": title})
    page.goto("/")
    return page


def _states(page: Page, look: str) -> Iterator[Path]:
    """Takes a picture of each state, in an order in which one leads to the next."""
    for state, reach in STATES.items():
        reach(page, look)
        yield _take(page, f"{look}-{state}")


def _empty(page: Page, look: str) -> None:
    page.locator(PROMPT).wait_for()


def _streaming(page: Page, look: str) -> None:
    _ask(page, ARABIC if look == "rtl" else QUESTION)
    page.locator(".chat-message li:nth-child(2), .chat-message tr:nth-child(2)").first.wait_for()


def _edit(page: Page, look: str) -> None:
    _idle(page)
    page.locator("[name=edit]").first.click()
    page.wait_for_function("document.querySelector('.chat-edit textarea')?.value")


def _tool(page: Page, look: str) -> None:
    page.keyboard.press("Escape")
    _ask(page, "Which city is larger, Rome or Oslo?")
    _idle(page)
    page.locator(".chat-tool > summary").first.click()


def _error(page: Page, look: str) -> None:
    _ask(page, "Translate this page into Norwegian")
    page.locator(".chat-retry").last.wait_for()


def _approval(page: Page, look: str) -> None:
    _ask(page, "Write to Ada when the demo begins")
    _idle(page)


def _menu(page: Page, look: str) -> None:
    if look == "mobile":
        page.get_by_role("button", name="Conversations").click()
    page.locator(".chat-listed").nth(1).hover()
    page.locator("[name=options]").nth(1).click()


STATES: dict[str, Callable[[Page, str], None]] = {
    "empty": _empty,
    "streaming": _streaming,
    "edit": _edit,
    "tool": _tool,
    "error": _error,
    "approval": _approval,
    "menu": _menu,
}


def _ask(page: Page, question: str) -> None:
    page.locator(PROMPT).fill(question)
    page.locator(".chat-send").click()


def _idle(page: Page) -> None:
    page.locator(".chat-send").wait_for()


def _take(page: Page, name: str) -> Path:
    """Saves what the page shows, with a palette."""
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    path = IMAGES / f"{name}.png"
    picture.quantize(COLOURS, kmeans=1, dither=Image.Dither.NONE).save(path, optimize=True)
    return path


def _animate(page: Page) -> None:
    """Saves an answer that streams, at the speed at which it does, as docs/images/streaming.webp."""
    page.evaluate("document.querySelector('.chat-sidebar').hidden = true")
    frames, moments = [], []
    _ask(page, QUESTION)
    while page.locator(".chat-stop").is_visible():
        moments.append(time.monotonic())
        frames.append(Image.open(io.BytesIO(page.screenshot())).convert("RGB"))
        page.wait_for_timeout(1000 * max(0, FRAME - (time.monotonic() - moments[-1])))
    frames.append(Image.open(io.BytesIO(page.screenshot())).convert("RGB"))
    lengths = [int(1000 * (after - before)) for before, after in itertools.pairwise(moments)]
    options = {"duration": [*lengths, 150, 3000], "loop": 0, "quality": 55, "method": 6, "minimize_size": True}
    frames[0].save(IMAGES / "streaming.webp", save_all=True, append_images=frames[1:], **options)


if __name__ == "__main__":
    main()
