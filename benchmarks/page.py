"""Measures the page in Chromium: how a conversation of 2,000 messages opens, and how smoothly a long answer streams.

    python -m benchmarks.page [--messages 2000] [--above 200]

The answer has 32 KB of Markdown, with code and tables, in 200 tokens a second. It streams below `above` messages.
A long task is one that blocks the page for 50 ms or more (Long Tasks API); a frame is late if it comes after more than
50 ms. The first second of the page, in which its scripts are loaded, does not count.
Chromium shares the machine with the server: a busy machine makes long tasks that the page does not make.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from tests.servers import Site, serve

STORE = """
from streaming.models import Conversation
from tests.long_ones import lengthen
lengthen(Conversation.objects.get(key="{key}"), {count})
"""
WATCH = """() => {
  window.tasks = [];
  window.frames = [];
  new PerformanceObserver((list) => tasks.push(...list.getEntries().map(({ duration }) => duration)))
    .observe({ type: "longtask" });
  let last = performance.now();
  const frame = (now) => { frames.push(now - last); last = now; requestAnimationFrame(frame); };
  requestAnimationFrame(frame);
}"""
OPENED = """() => {
  const [{ responseEnd, domContentLoadedEventEnd, startTime }] = performance.getEntriesByType("navigation");
  return { response: responseEnd - startTime, ready: domContentLoadedEventEnd - startTime };
}"""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--messages", type=int, default=2000)
    options.add_argument("--above", type=int, default=200)
    chosen = options.parse_args()
    with (
        tempfile.TemporaryDirectory() as directory,
        sync_playwright() as playwright,
        serve("uvicorn", Path(directory), settings="tests.browser.settings") as site,
    ):
        args = ["--no-sandbox", "--disable-gpu"]
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=args)
        _open(browser.new_page(base_url=site.url), site, chosen.messages)
        _stream(browser.new_page(base_url=site.url), site, chosen.above)
        browser.close()


def _conversation(page: Page, site: Site, messages: int) -> str:
    """Makes a conversation of so many messages, and returns its path."""
    page.goto("/")
    _ask(page, "markup")
    page.locator(".chat-send").wait_for()
    path = "/" + page.url.split("/", 3)[3]
    site.manage("shell", "-c", STORE.format(key=path.split("/")[2], count=messages - 2))
    return path


def _open(page: Page, site: Site, messages: int) -> None:
    path, opened = _conversation(page, site, messages), []
    for _ in range(7):
        page.goto(path)
        opened.append(page.evaluate(OPENED))
    for name in opened[0]:
        milliseconds = statistics.median(one[name] for one in opened[2:])
        print(f"{messages} messages, {name:9} {milliseconds:6.0f} ms")


def _stream(page: Page, site: Site, above: int) -> None:
    page.goto(_conversation(page, site, above))
    if page.get_by_role("link", name="Show all").count():
        page.get_by_role("link", name="Show all").click()
    page.wait_for_function("count => document.querySelectorAll('article').length === count", arg=above)
    page.wait_for_timeout(1000)
    page.evaluate(WATCH)
    _ask(page, "bulk")
    page.locator(".chat-stop").wait_for()
    page.locator(".chat-send").wait_for(timeout=300_000)
    tasks: Any = page.evaluate("tasks")
    frames: Any = page.evaluate("frames")
    size = page.locator(".chat-message").last.evaluate("article => article.innerText.length")
    late = sum(frame > 50 for frame in frames)
    print(f"{size} characters below {above} messages, in {sum(frames) / 1000:.0f} s")
    print(f"long tasks {len(tasks):6}   the longest {max(tasks, default=0):.0f} ms")
    print(f"frames     {len(frames):6}   late {late}   median {statistics.median(frames):.1f} ms")


def _ask(page: Page, question: str) -> None:
    page.get_by_label("Message", exact=True).fill(question)
    page.locator(".chat-send").click()


if __name__ == "__main__":
    main()
