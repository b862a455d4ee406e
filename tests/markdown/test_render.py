from __future__ import annotations

import html
import re
import subprocess
import sys
from pathlib import Path

import pytest

from streaming.markdown import render
from streaming.markdown.code import MAX_COLOURED, coloured

ROOT = Path(__file__).resolve().parents[2]
BORING = re.compile(r' (?:dir="auto"|dir="ltr"|tabindex="0"|rel="[^"]*"|target="_blank")')


LANGUAGES = (
    "python py js ts tsx bash sh json yaml html css sql go rust java c cpp csharp ruby kotlin swift diff toml xml"
)
A_B_C = '<a href="https://a.b/c">https://a.b/c</a>'
D_E = '<a href="https://d.e">https://d.e</a>'


def rendered(text: str) -> str:
    """The HTML without the attributes that all elements of a kind have."""
    return BORING.sub("", render(text))


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("# a", "<h3>a</h3>"),
        ("###### a", "<h6>a</h6>"),
        ("a\n---", "<h4>a</h4>"),
        ("a\nb", "<p>a\nb</p>"),
        ("a  \nb", "<p>a<br>b</p>"),
        ("a<br>b<BR/>c<br />\nd", "<p>a<br>b<br>c<br>d</p>"),
        ("`<br>` \\<br> <br x>", "<p><code>&lt;br&gt;</code> &lt;br&gt; &lt;br x&gt;</p>"),
        ("*a* **b** ~~c~~ `d`", "<p><em>a</em> <strong>b</strong> <s>c</s> <code>d</code></p>"),
        ("これは**強調（かっこ）**です。", "<p>これは<strong>強調（かっこ）</strong>です。</p>"),
        ("**「重要」**なので", "<p><strong>「重要」</strong>なので</p>"),
        ("他说**“你好”**，**注意：**再见", "<p>他说<strong>“你好”</strong>，<strong>注意：</strong>再见</p>"),
        ("**한국어(괄호)**는 *`코드`*를", "<p><strong>한국어(괄호)</strong>는 <em><code>코드</code></em>를</p>"),
        ("~~（旧）~~新", "<p><s>（旧）</s>新</p>"),
        ("2 * 3 * 4", "<p>2 * 3 * 4</p>"),
        ("文 ** 字 ** 文", "<p>文 ** 字 ** 文</p>"),
        ("~5 and ~7~", "<p>~5 and ~7~</p>"),
        ("3~5 and 7~9", "<p>3~5 and 7~9</p>"),
        ("<b>a</b>", "<p>&lt;b&gt;a&lt;/b&gt;</p>"),
        ("> a", "<blockquote><p>a</p></blockquote>"),
        ("- a\n- b", "<ul><li><p>a</p></li><li><p>b</p></li></ul>"),
        ("3. a", '<ol start="3"><li><p>a</p></li></ol>'),
        ("- [x] a", '<ul><li class="md-task"><p><span class="md-check">☑</span> a</p></li></ul>'),
        ("***", "<hr>"),
        ("[a](/b 'c')", '<p><a href="/b" title="c">a</a></p>'),
        ("[a](mailto:b@c.d)", '<p><a href="mailto:b@c.d">a</a></p>'),
        ("[a](ftp://b)", "<p>[a](ftp://b)</p>"),
        ("<https://a.b>", '<p><a href="https://a.b">https://a.b</a></p>'),
        ("(see https://a.b/c_d.)", '<p>(see <a href="https://a.b/c_d">https://a.b/c_d</a>.)</p>'),
        ("www.a.b", '<p><a href="http://www.a.b">www.a.b</a></p>'),
        ("请看https://a.b/c，（https://d.e）。", f"<p>请看{A_B_C}，（{D_E}）。</p>"),
        ("“https://a.b/c”和“https://d.e”。", f"<p>“{A_B_C}”和“{D_E}”。</p>"),
        ("[https://a.b/c], {https://d.e}…", f"<p>[{A_B_C}], {{{D_E}}}…</p>"),
        ("https://a.b/[c]", '<p><a href="https://a.b/[c]">https://a.b/[c]</a></p>'),
        ("https://日本.jp/例", '<p><a href="https://日本.jp/例">https://日本.jp/例</a></p>'),
        ("`https://a.b`", "<p><code>https://a.b</code></p>"),
        ("[https://a.b](https://c.d)", '<p><a href="https://c.d">https://a.b</a></p>'),
        ("![a](https://b.c/d)", '<p><a href="https://b.c/d">a</a></p>'),
        ("a[^1]", '<p>a<sup class="md-note">1</sup></p>'),
        ("a[^long-name]", '<p>a<sup class="md-note">long-name</sup></p>'),
        ("[^1]: b\n[^2]: c", '<p><sup class="md-note">1</sup> b\n<sup class="md-note">2</sup> c</p>'),
        ("    code", '<figure class="md-code"><pre><code>code</code></pre></figure>'),
        ("costs $5 or $10", "<p>costs $5 or $10</p>"),
        ("between $5 to 10$ each", "<p>between $5 to 10$ each</p>"),
        ("`$x$`", "<p><code>$x$</code></p>"),
        ("\\$x\\$", "<p>$x$</p>"),
        ("\\[\\]", "<p>[]</p>"),
        ("$\\nonsense{$", '<p><code class="md-math">$\\nonsense{$</code></p>'),
    ],
)
def test_text_becomes(text, html):
    assert rendered(text) == html


@pytest.mark.parametrize("text", ["$x^2$", "\\(x^2\\)", "so $x^2$ it is", "**$x^2$**", "| $x^2$ |\n|---|"])
def test_formula_in_a_line_is_mathml(text):
    assert '<math display="inline"><mrow><msup><mi>x</mi><mn>2</mn></msup></mrow></math>' in render(text)


@pytest.mark.parametrize(
    "text", ["$$x^2$$", "$$\nx^2\n$$", "\\[\nx^2\n\\]", "\\[ x^2 \\]", "a\n$$\nx^2\n$$\nb", "- a\n\n  $$\n  x^2\n  $$"]
)
def test_formula_on_lines_of_its_own_is_displayed(text):
    assert '<div class="md-math" tabindex="0"><math display="block">' in render(text)


def test_formula_without_an_end_is_source_up_to_the_blank_line():
    assert rendered("$$\nx\n\ny") == '<div class="md-math"><code class="md-math">$$\nx</code></div><p>y</p>'


def test_table_has_its_alignment_and_every_cell_its_direction():
    text = "| a | b | c |\n|:--|:-:|--:|\n| 1 | مرحبا |\n"
    cells = re.findall(r"<t[hd]\b[^>]*>", render(text))
    assert cells == [
        *(f'<th class="md-{side}" dir="auto">' for side in ("left", "center", "right")),
        *(f'<td class="md-{side}" dir="auto">' for side in ("left", "center")),
    ]


def test_cell_may_have_lines():
    assert "<td>a<br>• b</td>" in rendered("| c | d |\n|---|---|\n| a<br>• b | e |")


def test_every_block_has_its_own_direction():
    shown = render("# مرحبا\n\nhello مرحبا\n\n> x\n\n- مرحبا\n\n1. y\n")
    blocks = re.findall(r"<(?:p|h\d|ul|ol|li|blockquote)\b[^>]*>", shown)
    assert len(blocks) == 10
    assert all('dir="auto"' in block for block in blocks)


def test_code_is_coloured_and_the_same_text():
    code = 'def f(x: int) -> str:\n    """Doc."""\n    return f"{x}" + "a"  # <b>\n'
    shown = render(f"```python\n{code}```")
    assert '<span class="hl-k">def' in shown
    assert '<figure class="md-code" data-language="python"><figcaption>python</figcaption>' in shown
    (inner,) = re.findall(r"<code>(.*)</code>", shown, re.DOTALL)
    assert html.unescape(re.sub(r"<[^>]*>", "", inner)) == code.removesuffix("\n")


@pytest.mark.parametrize("language", LANGUAGES.split())
def test_languages_that_models_write_are_known(language):
    code = "a = 'b' # c\n<p class=\"x\">1</p>\n- x\n"
    assert html.unescape(re.sub(r"<[^>]*>", "", coloured(code, language))) == code
    assert "<span" in coloured(code + "if (x) { return 1; } // y\n+ z\n", language)


@pytest.mark.parametrize("language", ["", "no-such-language", "python'\"><b>"])
def test_code_of_an_unknown_language_is_plain(language):
    assert coloured("if x: <b>", language) == "if x: &lt;b&gt;"


def test_long_code_is_plain():
    code = "x = 1\n" * (MAX_COLOURED // 6 + 1)
    assert coloured(code, "python") == code
    assert coloured("x" * 5000, "python") == "x" * 5000


PROGRAM = """
import sys
import streaming.markdown
libraries = {"markdown_it", "nh3", "pygments", "latex2mathml", "django", "asyncio"}
print(sorted(libraries & set(sys.modules)))
print(streaming.markdown.render("**a**"))
print("django" in sys.modules)
"""


def test_nothing_is_imported_before_the_first_text_and_django_never():
    done = subprocess.run([sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ('[]\n<p dir="auto"><strong>a</strong></p>\nFalse\n', "")
