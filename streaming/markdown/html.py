"""Tokens as HTML. All text is escaped here, and no attribute comes from a model unless it was checked."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from html import escape
from urllib.parse import urlsplit

from markdown_it.common.utils import unescapeAll
from markdown_it.token import Token

from streaming.markdown.code import coloured
from streaming.markdown.mathml import mathml
from streaming.markdown.options import RenderOptions

CARET = "<i></i>"
"""Where the text goes on. Nothing else is an `<i>`, and each tail is a little shorter than with a class."""

DEMOTED = 2
"""An answer stands under the page's heading and the message's: its own first heading is of level 3."""

MAX_LANGUAGE = 40
USUAL_DIGITS = 3
"""The stylesheet has room for as many in every list."""

CONTINUES = "continues"
"""The key in a fence's `meta`: True if the text after it belongs to the code."""


class HTML:
    """Renders tokens. Every kind of token has a row in `RULES`."""

    def __init__(self, options: RenderOptions) -> None:
        self._options = options

    def render(self, tokens: Iterable[Token]) -> str:
        return "".join([RULES[token.type](self, token) for token in tokens])

    def _inline(self, token: Token) -> str:
        box = f'<span class="md-check">{token.meta["box"]}</span> ' if "box" in token.meta else ""
        return box + self.render(token.children or ())

    def _image(self, token: Token) -> str:
        """A picture of a host that the site trusts. Any other picture is a link, with the same text."""
        source, alt = str(token.attrs.get("src", "")), _plain(token.children or ())
        parts = urlsplit(source)
        if parts.scheme == "https" and parts.hostname in self._options.image_hosts:
            attributes = f'src="{escape(source)}" alt="{escape(alt)}" loading="lazy" referrerpolicy="no-referrer"'
            return f"<img {attributes}>"
        return f"{_link_open(source)}{escape(alt or source)}</a>"


def _link_open(address: str, title: str = "") -> str:
    """A link opens another tab, unless it leads to a place in the same answer."""
    titled = f' title="{escape(title)}"' if title else ""
    target = "" if address.startswith("#") else ' target="_blank"'
    return f'<a href="{escape(address)}"{titled} rel="noopener nofollow ugc"{target}>'


def _plain(tokens: Iterable[Token]) -> str:
    return "".join(_plain(token.children) if token.children else token.content for token in tokens)


def _link(_: HTML, token: Token) -> str:
    return _link_open(str(token.attrs.get("href", "")), str(token.attrs.get("title", "")))


def _code(_: HTML, token: Token) -> str:
    return f"<code>{escape(token.content)}{CARET if token.meta.get('caret') else ''}</code>"


def _fence(_: HTML, token: Token) -> str:
    language = (unescapeAll(token.info).split() or [""])[0][:MAX_LANGUAGE]
    named = f' data-language="{escape(language)}"' if language else ""
    caption = f"<figcaption>{escape(language)}</figcaption>" if language else ""
    if token.meta.get(CONTINUES):
        code = f"<code data-open>{escape(token.content.removesuffix(chr(10)))}{CARET}</code>"
    else:
        code = f"<code>{coloured(token.content.removesuffix(chr(10)), language)}</code>"
    return f'<figure class="md-code"{named}>{caption}<pre dir="ltr" tabindex="0">{code}</pre></figure>'


def _formula(_: HTML, token: Token) -> str:
    converted = mathml(token.content.strip(), is_display=bool(token.hidden))
    return converted or f'<code class="md-math">{escape(token.markup)}</code>'


def _formula_block(_: HTML, token: Token) -> str:
    converted = mathml(token.content.strip(), is_display=True) if token.content.strip() else None
    inner = converted or f'<code class="md-math">{escape(token.markup)}</code>'
    return f'<div class="md-math" tabindex="0">{inner}</div>'


def _heading(_: HTML, token: Token) -> str:
    level = min(6, int(token.tag[1]) + DEMOTED)
    return f'<h{level} dir="auto">' if token.nesting == 1 else f"</h{level}>"


def _ordered_list(_: HTML, token: Token) -> str:
    """A list with large numbers tells the stylesheet how many digits they have. There is room for a hundred items."""
    start = token.attrs.get("start")
    if start is None:
        return '<ol dir="auto">'
    digits = len(str(int(start) + 99))
    wide = f' class="md-digits-{digits}"' if digits > USUAL_DIGITS else ""
    return f'<ol start="{start}"{wide} dir="auto">'


def _item(_: HTML, token: Token) -> str:
    return '<li class="md-task" dir="auto">' if token.meta.get("is_task") else '<li dir="auto">'


def _cell(_: HTML, token: Token) -> str:
    align = str(token.attrs.get("style", "")).removeprefix("text-align:")
    return f'<{token.tag} class="md-{align}" dir="auto">' if align else f'<{token.tag} dir="auto">'


def _always(html: str) -> Callable[[HTML, Token], str]:
    return lambda _, token: html


def _pair(name: str, html: str) -> dict[str, Callable[[HTML, Token], str]]:
    tag = html.strip("<>").split()[0]
    return {f"{name}_open": _always(html), f"{name}_close": _always(f"</{tag}>")}


RULES: dict[str, Callable[[HTML, Token], str]] = {
    "inline": HTML._inline,
    "text": lambda _, token: escape(token.content),
    "softbreak": _always("\n"),
    "hardbreak": _always("<br>"),
    "hr": _always("<hr>"),
    "caret": _always(CARET),
    "code_inline": _code,
    "code_block": _fence,
    "fence": _fence,
    "formula": _formula,
    "formula_block": _formula_block,
    "image": HTML._image,
    "note": lambda _, token: f'<sup class="md-note">{escape(token.content)}</sup>',
    "link_open": _link,
    "link_close": _always("</a>"),
    "heading_open": _heading,
    "heading_close": _heading,
    "ordered_list_open": _ordered_list,
    "ordered_list_close": _always("</ol>"),
    "list_item_open": _item,
    "list_item_close": _always("</li>"),
    "th_open": _cell,
    "th_close": _always("</th>"),
    "td_open": _cell,
    "td_close": _always("</td>"),
    **_pair("paragraph", '<p dir="auto">'),
    **_pair("blockquote", '<blockquote dir="auto">'),
    **_pair("bullet_list", '<ul dir="auto">'),
    **_pair("strong", "<strong>"),
    **_pair("em", "<em>"),
    **_pair("s", "<s>"),
    **_pair("thead", "<thead>"),
    **_pair("tbody", "<tbody>"),
    **_pair("tr", "<tr>"),
    "table_open": _always('<div class="md-table" tabindex="0"><table>'),
    "table_close": _always("</table></div>"),
}
"""The type of a token -> its HTML. Paragraphs in lists always have their element, so that a list which becomes loose
changes no item that is settled."""


BOXES = {"[ ] ": "☐", "[x] ": "☑", "[X] ": "☑"}


def with_tasks(tokens: list[Token]) -> None:
    """Marks list items that begin with `[ ]` or `[x]`, and puts a box in place of the sign."""
    for item, paragraph, text in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if (item.type, paragraph.type, text.type) != ("list_item_open", "paragraph_open", "inline"):
            continue
        if (box := BOXES.get(text.content[:4])) is not None:
            item.meta["is_task"] = True
            text.content, text.meta["box"] = text.content[4:], box
