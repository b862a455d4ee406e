"""Inline rules for the end of a text that is still being written.

They apply to the last line of the tail. What is open there and has begun to mean something is closed: emphasis, code,
the text of a link. What might still become something else is held back: it is left out until more text decides.
"""

from __future__ import annotations

import re
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline
from markdown_it.rules_inline.state_inline import Delimiter

MAX_HELD = 300
"""The most characters that are held back. What is still open then is shown as it is."""

HELD = "held"
"""The key in the environment that tells that something was held back, or that the caret is inside code."""

ENTITY = re.compile(r"&#?\w{0,31}\Z")
AUTOLINK = re.compile(r"<(?:[A-Za-z][^\s<>]*|br[ \t]*/?)?\Z", re.IGNORECASE)
MARKERS = "*_~`"
DELIMITERS = {ord("*"), ord("_"), ord("~")}


def make_live(markdown: MarkdownIt) -> MarkdownIt:
    """Adds the rules to a parser and returns it."""
    markdown.inline.ruler.before("escape", "hold", hold)
    markdown.inline.ruler.before("backticks", "open_code", open_code)
    markdown.inline.ruler2.after("balance_pairs", "close_emphasis", close_emphasis)
    return markdown


def without_open_end(source: str) -> tuple[str, bool]:
    """Returns the source without the marks at its end, which may open or close something, and True if it had some."""
    shorter = source.rstrip(MARKERS)
    if shorter.endswith("\\"):  # an escaped mark
        return source, False
    return shorter, shorter != source


def hold(state: StateInline, silent: bool) -> bool:  # noqa: FBT001  # the signature of a rule
    """Leaves out the rest of the text if it may be the beginning of something."""
    may_be = MAY_BE.get(state.src[state.pos])
    if silent or may_be is None or state.posMax != len(state.src):
        return False
    if state.posMax - state.pos > MAX_HELD or not may_be(state):
        return False
    state.env[HELD] = True
    state.pos = state.posMax
    return True


def _escape(state: StateInline) -> bool:
    """Returns True for a backslash at the end, and for a formula that is not closed."""
    rest = state.src[state.pos :]
    return len(rest) == 1 or _open_formula(rest, "\\(", "\\)") or _open_formula(rest, "\\[", "\\]")


def _open_formula(rest: str, opener: str, closer: str) -> bool:
    return rest.startswith(opener) and closer not in rest


def _dollar(state: StateInline) -> bool:
    """Returns True while `$` looks more like the beginning of a formula than like a price."""
    rest = state.src[state.pos :]
    if rest.startswith("$$"):
        return "$$" not in rest[2:] and "\n\n" not in rest
    return "$" not in rest[1:] and len(rest) < 80 and "\n" not in rest and not re.match(r"\$(\s|\d[\d.,]*\s)", rest)


def _image(state: StateInline) -> bool:
    rest = state.src[state.pos :]
    return rest == "!" or (rest.startswith("![") and _open_link(state, state.pos + 1)[0])


def _link(state: StateInline) -> bool:
    """Returns True while `[…` may become a link. From `](` on it is one, and its text is shown."""
    may_be, end = _open_link(state, state.pos)
    if end < 0:
        return may_be
    label = state.src[state.pos + 1 : end]
    for child in state.md.inline.parse(label, state.md, {**state.env}, []):
        if state.pending:
            state.pushPending()
        state.tokens.append(child)
        state.tokens_meta.append(None)
    return True


def _open_link(state: StateInline, start: int) -> tuple[bool, int]:
    """Returns True if `[` at `start` may begin a link that is not complete.

    Beside that, it returns the end of the link's text once `](` has come, and -1 before that.
    """
    end = state.md.helpers.parseLinkLabel(state, start)
    if end < 0:
        return "\n\n" not in state.src[start:], -1
    rest = state.src[end + 1 :]
    if not rest:
        return True, -1
    if rest[0] == "[":
        return "]" not in rest, -1
    is_open = rest[0] == "(" and "\n" not in rest and rest.count("(") > rest.count(")")
    is_link = is_open and not re.match(r"\(\s*[^\s<]+\s+[^\s\"'(]", rest)
    return is_link, end if is_link else -1


MAY_BE: dict[str, Any] = {
    "\\": _escape,
    "&": lambda state: ENTITY.match(state.src, state.pos) is not None,
    "<": lambda state: AUTOLINK.match(state.src, state.pos) is not None,
    "!": _image,
    "[": _link,
    "$": _dollar,
}
"""A character -> a function that returns True if the rest of the text may be the beginning of something."""


def open_code(state: StateInline, silent: bool) -> bool:  # noqa: FBT001  # the signature of a rule
    """Shows code whose closing sign has not come yet as code."""
    if silent or state.src[state.pos] != "`" or state.posMax != len(state.src):
        return False
    rest = state.src[state.pos :]
    content = rest.lstrip("`")
    marks = rest[: len(rest) - len(content)]
    if re.search(rf"(?<!`){marks}(?!`)", content) or len(content) > MAX_HELD:
        return False
    token = state.push("code_inline", "code", 0)
    token.content, token.meta = content.replace("\n", " ").removeprefix(" "), {"caret": True}
    state.pos = state.posMax
    return True


def close_emphasis(state: StateInline) -> None:
    """Puts the caret at the end, and after it the closing signs of all emphasis that is still open."""
    delimiters = state.delimiters
    opened = _still_open(delimiters, state)
    if not state.tokens or not state.tokens[-1].meta.get("caret"):
        state.push("caret", "span", 0)
    for at in reversed(opened):
        opener = delimiters[at]
        state.push("text", "", 0).content = state.tokens[opener.token].content
        opener.end, opener.close = len(delimiters), False
        delimiters.append(
            Delimiter(opener.marker, opener.length, token=len(state.tokens) - 1, end=-1, open=False, close=True)
        )


def _still_open(delimiters: list[Delimiter], state: StateInline) -> list[int]:
    """Returns the positions of openers without a closer, except for those inside complete emphasis."""
    found: list[int] = []
    reach = -1
    for at, one in enumerate(delimiters):
        if one.end >= 0:
            reach = max(reach, one.end)
        elif one.open and at > reach and one.marker in DELIMITERS and one.token < len(state.tokens) - 1:
            found.append(at)
    return found
