"""A reader of patches, as static/streaming/chat/markdown.js is one: it keeps what it was given, and puts text at the
caret by itself."""

from __future__ import annotations

import html
import re

from streaming.markdown import Patch

CARET = "<i></i>"
PLAIN = re.compile(r"[^\n*_~`\[\]<>&\\!|$#\0\u202d\u202e]*")
MAY_CLOSE = re.compile(r" {0,3}(`+|~+)?[ \t]*")
TAG = re.compile(r"<[^>]*>")


class Page:
    """`settled` are the blocks, each as a list: what opens it, its items, what closes it."""

    def __init__(self) -> None:
        self.settled: list[list[str]] = []
        self.last = self.tail = ""
        self.rest: str | None = None
        self.fixed = 0

    def told(self, text: str) -> None:
        """Takes a delta of the text."""
        if self.rest is None:
            return
        self.rest += text.replace("\r\n", "\n").replace("\r", "\n")
        self.grow()

    def grow(self) -> None:
        assert self.rest is not None
        is_code = re.search(rf"<code data-open(?:=\"\")?>[^<]*{re.escape(CARET)}", self.tail) is not None
        if is_code:
            end = self.rest.rfind("\n")
            size = max(end, 0) if MAY_CLOSE.fullmatch(self.rest, end + 1) else len(self.rest)
        else:
            size = len(PLAIN.match(self.rest)[0])
        plain, self.rest = self.rest[:size], self.rest[size:]
        where = "tail" if CARET in self.tail else "last"
        shown = getattr(self, where)
        assert CARET in shown
        at = shown.rindex(CARET)
        setattr(self, where, shown[:at] + html.escape(plain) + shown[at:])

    def apply(self, patch: Patch | None) -> None:
        if patch is None:
            return
        if patch.is_fresh:
            self.settled = []
        for op in patch.ops:
            getattr(self, op[0])(*op[1:])
        self.last, self.tail, self.rest = patch.last, patch.tail, patch.rest
        if self.rest is not None:
            self.grow()

    def block(self, html: str) -> None:
        match = re.fullmatch(r"(.*?)(</tbody></table></div>|</ul>|</ol>)", html, re.DOTALL)
        self.settled.append([match[1], match[2]] if match else [html])

    def item(self, html: str) -> None:
        self.settled[-1].insert(-1, html)

    def fix(self, block: int, item: int, html: str) -> None:
        self.fixed += 1
        self.settled[block][item + 1] = html

    @property
    def html(self) -> str:
        blocks = [list(block) for block in self.settled]
        if self.last:
            blocks[-1].insert(-1, self.last)
        return "".join(map("".join, blocks)) + self.tail

    @property
    def visible(self) -> str:
        """The text that a person sees, without white space."""
        return "".join(html.unescape(TAG.sub("", self.html)).split())
