"""Measures the page in Chromium: how a conversation of 2,000 messages opens, and how smoothly a long answer streams.

    python -m benchmarks.page [--messages 2000] [--above 200]

The answer has 32 KB of Markdown, with code and tables, in 200 tokens a second. It streams below `above` messages.
A task is long if it blocks the page for more than 50 ms, and a frame is late if it comes after more than 50 ms. A busy
machine makes such tasks without the page's doing, so each task's CPU time is measured, too, from Chromium's trace. The
first second of the page, in which its scripts are loaded, does not count.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from tests.servers import Site, serve

LONG = 50  # milliseconds
STORE = """
from streaming.models import Conversation
from tests.long_ones import lengthen
lengthen(Conversation.objects.get(key="{key}"), {count})
"""
WATCH = """() => {
  window.frames = [];
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
        _stream(browser, site, chosen.above)
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


def _stream(browser: Browser, site: Site, above: int) -> None:
    page = browser.new_page(base_url=site.url)
    page.goto(_conversation(page, site, above))
    if page.get_by_role("link", name="Show all").count():
        page.get_by_role("link", name="Show all").click()
    page.wait_for_function("count => document.querySelectorAll('article').length === count", arg=above)
    page.wait_for_timeout(1000)
    page.evaluate(WATCH)
    browser.start_tracing(page=page, categories=["devtools.timeline", "toplevel"])
    _ask(page, "bulk")
    page.locator(".chat-stop").wait_for()
    page.locator(".chat-send").wait_for(timeout=300_000)
    tasks = _tasks(browser.stop_tracing())
    frames: Any = page.evaluate("frames")
    size = page.locator(".chat-message").last.evaluate("article => article.innerText.length")
    late = sum(frame > LONG for frame in frames)
    print(f"{size} characters below {above} messages, in {sum(frames) / 1000:.0f} s")
    for name, lengths in (("CPU", [cpu for cpu, _ in tasks]), ("wall clock", [wall for _, wall in tasks])):
        long = sum(length > LONG for length in lengths)
        total = sum(lengths) / 1000
        print(f"tasks by {name:10} {total:5.1f} s   longest {max(lengths):4.0f} ms   long {long} of {len(tasks)}")
    print(f"frames {len(frames)}   late {late}   median {statistics.median(frames):.1f} ms")


def _tasks(trace: bytes) -> list[tuple[float, float]]:
    """The tasks of the page's main thread: the CPU time and the length of each, in milliseconds."""
    events = json.loads(trace)["traceEvents"]
    mains = {
        (one["pid"], one["tid"])
        for one in events
        if one["name"] == "thread_name" and one["args"]["name"] == "CrRendererMain"
    }
    threads: dict[Any, list[tuple[float, float]]] = {main: [] for main in mains}
    for one in events:
        place = (one["pid"], one["tid"])
        if place in threads and one["name"].endswith("RunTask") and "tdur" in one:
            threads[place].append((one["tdur"] / 1000, one["dur"] / 1000))
    return max(threads.values(), key=len)


def _ask(page: Page, question: str) -> None:
    page.get_by_label("Message", exact=True).fill(question)
    page.locator(".chat-send").click()


if __name__ == "__main__":
    main()
