from __future__ import annotations

import os
import random
import re
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from streaming.markdown import MarkdownStream, RenderOptions, render
from streaming.markdown.stream import SPECIAL
from tests.markdown.corpus import ANSWERS, EXAMPLES, PROSE, pieces
from tests.markdown.page import Page

# The long form: MARKDOWN_FUZZ=100000 and MARKDOWN_SPEC=<spec.txt of CommonMark or GFM>.
FUZZED = int(os.environ.get("MARKDOWN_FUZZ", "2500"))
SPEC = os.environ.get("MARKDOWN_SPEC", "")

FRAGMENTS = [
    *("# h\n", "## ", "text ", "word", "\n", "\n\n", "- a", "- ", "* b\n", "1. x\n", "2) y\n", "  ", "    ", "\t"),
    *("> q", "> ", "```\n", "```py\n", "~~~\n", "`", "``", "**", "*", "_", "~~", "|", "| a | b |\n", "|---|---|\n"),
    *("a|b\n-|-\n", "---\n", "===\n", "[l](u)", "[l](", "[r]", "[r]: /u\n", '[r]: /u "t"\n', "![i](https://x/y)", "<"),
    *("<b>", "<http://a>", "&amp;", "&", "\\", "$", "$$", "$$\nx^2\n$$\n", "\\(", "\\)", "\\[", "\\]", "[^1]"),
    *("[^1]: n\n", "- [ ] t\n", "[x] ", "https://a.b/c_d ", "é", "🙂", "\r\n", "   - n\n", "      deep\n", "</p>"),
    *("\n    code\n", "1", "9.", "+", "=", "-", "--", "!", "#", " #\n", ":", '"', "|x", "|\n", "\r", "\0", "\u202e"),
    *("文", "（", "<br>", "<br />"),
]


def fed(text: str, cuts: Iterable[str], look: Callable[[Page], None] = lambda page: None) -> tuple[str, Page]:
    """Streams a text. Returns the stream's HTML and the page that followed it. `look` sees the page after each step."""
    stream, page = MarkdownStream(), Page()
    for piece in cuts:
        page.told(piece)
        page.apply(stream.feed(piece))
        look(page)
    page.apply(stream.finish())
    look(page)
    return stream.html, page


@pytest.mark.parametrize("shard", range(5))
def test_settled_blocks_and_tail_are_the_whole_however_the_text_is_cut(shard):
    for seed in range(shard, FUZZED, 5):
        choice = random.Random(seed)
        text = "".join(choice.choice(FRAGMENTS) for _ in range(choice.randint(1, 25)))
        html, page = fed(text, pieces(text, seed, sizes=(1, 1, 2, 3, 5, 9, 30)))
        assert html == page.html == render(text), (seed, text)


@pytest.mark.parametrize("text", ANSWERS, ids=lambda text: text[:20])
def test_answer_is_the_same_however_it_is_cut(text):
    for seed in range(5):
        html, page = fed(text, pieces(text, seed))
        assert html == page.html == render(text)


@pytest.mark.parametrize("text", ANSWERS, ids=lambda text: text[:20])
def test_reader_who_comes_in_the_middle_sees_the_same(text):
    stream, first = MarkdownStream(), Page()
    for number, piece in enumerate(pieces(text)):
        first.told(piece)
        first.apply(stream.feed(piece))
        if number % 7 == 0:
            late = Page()
            late.apply(stream.snapshot())
            assert late.visible.startswith(first.visible)
    late = Page()
    late.apply(stream.snapshot())
    late.apply(stream.finish())
    assert late.html == render(text)
    again = Page()
    again.apply(stream.snapshot())
    assert again.html == render(text)


@pytest.mark.parametrize("text", ANSWERS, ids=lambda text: text[:20])
def test_settled_blocks_never_change(text):
    seen: list[list[str]] = []

    def look(page: Page) -> None:
        nonlocal seen
        grown = [list(block) for block in page.settled]
        for old, new in zip(seen, grown, strict=False):
            assert old[:-1] == new[: len(old) - 1]  # a list or a table may have more items than before
        assert len(grown) >= len(seen)
        seen = grown

    _, page = fed(text, text, look)
    assert page.fixed == 0


def flashes(text: str) -> tuple[int, list[tuple[str, str]]]:
    """The number of steps of a text that comes character by character, and those that took back what was shown."""
    seen, steps = "", 0
    taken_back: list[tuple[str, str]] = []

    def look(page: Page) -> None:
        nonlocal seen, steps
        steps += 1
        if not page.visible.startswith(seen):
            taken_back.append((seen, page.visible))
        seen = page.visible

    fed(text, text, look)
    return steps, taken_back


def test_emphasis_between_signs_of_chinese_is_not_taken_back():
    assert flashes("见**“强调（括号）”**的文字，**注意：**结束。\n")[1] == []


def test_nothing_that_was_shown_of_an_answer_is_taken_back():
    for text in ANSWERS:
        assert flashes(text)[1] == []


def test_almost_nothing_that_was_shown_of_an_example_is_taken_back():
    """The rest are signs without an end, such as a lone `**`: they are shown as what they promised to be."""
    counted = [flashes(text) for text in EXAMPLES]
    steps, flashed = sum(steps for steps, _ in counted), sum(len(taken_back) for _, taken_back in counted)
    assert steps > 1_500
    assert flashed / steps <= 0.01, [taken_back for _, taken_back in counted if taken_back]


@pytest.mark.optional
@pytest.mark.skipif(not SPEC, reason="MARKDOWN_SPEC does not name the specification's text")
def test_almost_nothing_that_was_shown_of_the_specification_is_taken_back():
    source = Path(SPEC).read_text()
    found = re.findall(r"^`{32} example.*?\n(.*?)\n?^\.\n.*?^`{32}$", source, re.DOTALL | re.MULTILINE)
    examples = [one.replace("→", "\t") + "\n" for one in found]
    assert len(examples) > 600
    for text in examples:
        assert fed(text, text)[0] == render(text)
    counted = [flashes(text) for text in examples]
    assert sum(len(taken_back) for _, taken_back in counted) / sum(steps for steps, _ in counted) <= 0.01


def shown_so_far(text: str) -> str:
    """The HTML that a page shows when `text` has come."""
    stream, page = MarkdownStream(), Page()
    page.apply(stream.feed(text))
    return re.sub(r' (?:dir|tabindex|class|rel|target|data-open)="[^"]*"|<i></i>', "", page.html)


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("**bo", "<p><strong>bo</strong></p>"),
        ("a *b **c", "<p>a <em>b <strong>c</strong></em></p>"),
        ("~~ol", "<p><s>ol</s></p>"),
        ("`co", "<p><code>co</code></p>"),
        ("**a `b", "<p><strong>a <code>b</code></strong></p>"),
        ("a **", "<p>a </p>"),
        ("a [lin", "<p>a </p>"),
        ("a [link](htt", "<p>a link</p>"),
        ("a ![pic](htt", "<p>a </p>"),
        ("a &am", "<p>a </p>"),
        ("a <htt", "<p>a </p>"),
        ("a < b", "<p>a &lt; b</p>"),
        ("a<br /", "<p>a</p>"),
        ("a $x^", "<p>a </p>"),
        ("costs $5 an", "<p>costs $5 an</p>"),
        ("#", ""),
        ("-", ""),
        ("1.", ""),
        ("- a", "<ul><li><p>a</p></li></ul>"),
        ("- a\n- ", "<ul><li><p>a</p></li></ul>"),
        ("a\n-", "<p>a</p>"),
        ("| a | b |\n|--", ""),
        (
            "| a | b |\n|---|---|\n",
            "<div><table><thead><tr><th>a</th><th>b</th></tr></thead><tbody></tbody></table></div>",
        ),
        ("```py", ""),
        ("```py\n", '<figure data-language="py"><figcaption>py</figcaption><pre><code></code></pre></figure>'),
        ("```\na = 1\n``", "<figure><pre><code>a = 1</code></pre></figure>"),
        ("$$\nx", ""),
        ("[a]: /u", ""),
    ],
)
def test_what_is_open_is_closed_and_what_is_undecided_waits(text, html):
    assert shown_so_far(text) == html


def test_code_that_is_being_written_needs_no_rendering():
    stream = MarkdownStream()
    stream.feed("```py\n")
    assert [stream.feed("x = '*a*'\n") for _ in range(50)] == [None] * 50


def test_plain_words_need_no_rendering():
    stream = MarkdownStream()
    stream.feed("A first word")
    assert [stream.feed(" and another one, (as it happens);") for _ in range(50)] == [None] * 50


def test_rows_and_items_are_settled_one_by_one():
    stream, page = MarkdownStream(), Page()
    sizes = []
    for _ in range(50):
        page.apply(stream.feed("- an item\n"))
        sizes.append(len(page.last))
    assert len(page.settled) == 1
    assert len(page.settled[0]) == 2 + 49
    assert max(sizes) < 100


def test_link_whose_address_comes_later_is_made_at_the_end():
    text = "See [the manual][1].\n\n- also [the manual][1]\n- b\n\n[1]: https://example.com\n"
    html, page = fed(text, text)
    assert html == page.html == render(text)
    assert html.count('href="https://example.com"') == 2
    assert page.fixed == 2


def test_pictures_are_shown_of_trusted_hosts_only():
    options = RenderOptions(frozenset({"pics.example"}))
    shown = '<img src="https://pics.example/a.png" alt="A" loading="lazy" referrerpolicy="no-referrer">'
    assert render("![A](https://pics.example/a.png)", options) == f'<p dir="auto">{shown}</p>'
    for address in (
        "http://pics.example/a.png",
        "https://evil.example/a.png",
        "https://pics.example@evil.example/a.png",
        "https://evil.example/pics.example",
        "//pics.example/a.png",
        "/logout",
        "data:image/png;base64,AAAA",
    ):
        assert "<img" not in render(f"![A]({address})", options)
        assert "<img" not in render(f"![A][r]\n\n[r]: <{address}>", options)
    assert "<img" not in render("![A](https://pics.example/a.png)")


def test_long_prose_is_the_same_as_in_one_piece():
    text = PROSE * 30
    html, page = fed(text, pieces(text))
    assert html == page.html == render(text)


def test_page_and_server_agree_what_plain_text_is():
    script = (Path(__file__).parents[2] / "streaming/static/streaming/chat/markdown.js").read_text()
    (plain,) = re.findall(r"const PLAIN = /\^\[\^(.*)\]\*/;", script)
    assert plain.replace("\\[", "[") == SPECIAL.pattern[1:-1].replace("\\[", "[")
