"""The rules for formulas: `$…$`, `$$…$$`, `\\(…\\)` and `\\[…\\]`.

A formula on lines of its own is a block. It opens at its first line, like a fence, and ends at the closing sign or at a
blank line, because TeX allows none in a formula. So a line that comes later never changes what an earlier line is.
"""

from __future__ import annotations

import re

from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline

CLOSERS = {"$$": "$$", "\\[": "\\]", "\\(": "\\)", "$": "$"}

# Money is no formula. A `$` opens one only before a character that is no space, and closes one only after such a
# character and not before a digit (the rule of Pandoc). A number and words between two of them are two prices.
PRICES = re.compile(r"\d[\d.,]*(?:\s[^\\^_={}+]*)?\Z")
DOLLARS = re.compile(r"\$(?![\s$])((?:[^\\$\n]|\\.){1,500}?)(?<!\s)\$(?!\d)")
DISPLAY = re.compile(r"\$\$(?!\$)((?:[^\\$]|\\.)+?)\$\$")
BRACKETS = re.compile(r"\\\((.+?)\\\)|\\\[(.+?)\\\]", re.DOTALL)


def inline_formula(state: StateInline, silent: bool) -> bool:  # noqa: FBT001  # the signature of a rule
    """The inline rule of markdown-it for formulas."""
    found = formula_at(state.src, state.pos, state.posMax)
    if found is None or not re.search(r"\w", found[0]):  # an escaped bracket may stand beside another one
        return False
    text, is_display, end = found
    if not silent:
        token = state.push("formula", "math", 0)
        token.content, token.markup = text, state.src[state.pos : end]
        token.hidden = is_display
    state.pos = end
    return True


def formula_at(source: str, start: int, end: int) -> tuple[str, bool, int] | None:
    """The formula that begins at `start`: its text, True if it is displayed, and its end. None if there is none."""
    if source.startswith("$$", start):
        match = DISPLAY.match(source, start, end)
        return (match[1], True, match.end()) if match else None
    if source.startswith("$", start):
        match = DOLLARS.match(source, start, end)
        return (match[1], False, match.end()) if match and not PRICES.match(match[1]) else None
    match = BRACKETS.match(source, start, end) if source.startswith(("\\(", "\\["), start) else None
    return (match[1] or match[2], match[2] is not None, match.end()) if match else None


def block_formula(state: StateBlock, start: int, end: int, silent: bool) -> bool:  # noqa: FBT001
    """The block rule of markdown-it for formulas."""
    line = _line(state, start)
    opener = line[:2]
    if state.is_code_block(start) or not _opens(line):
        return False
    if silent:
        return True
    closer, last = CLOSERS[opener], start
    text = [line[2:]]
    while not text[-1].rstrip().endswith(closer):
        last += 1
        if last >= end or state.isEmpty(last) or state.sCount[last] < state.blkIndent:
            last -= 1
            break
        text.append(_line(state, last))
    is_closed = text[-1].rstrip().endswith(closer)
    token = state.push("formula_block", "math", 0)
    token.map = [start, last + 1]
    token.markup = "\n".join([opener + text[0], *text[1:]])
    token.content = "\n".join(text).rstrip().removesuffix(closer) if is_closed else ""
    state.line = last + 1
    return True


def _line(state: StateBlock, number: int) -> str:
    return state.src[state.bMarks[number] + state.tShift[number] : state.eMarks[number]]


def _opens(line: str) -> bool:
    """True if a line begins a formula block: its sign stands alone, or all of the formula stands in the line."""
    opener, rest = line[:2], line[2:].strip()
    if opener not in ("$$", "\\[") or rest.startswith("$"):
        return False
    closer = CLOSERS[opener]
    at = rest.find(closer)
    if at >= 0:
        return at == len(rest) - 2 and at > 0
    return not rest or opener == "$$" or line[2:3].isspace()
