"""Emphasis in Chinese, Japanese and Korean.

CommonMark decides by spaces and punctuation whether a sign of emphasis opens or closes. These languages have no spaces
there, so in `**強調（例）**です` nothing would be emphasised. Here a wide character counts as a letter, even if it is a
bracket, and as a space for the sign beside it: the rules of https://github.com/tats-u/markdown-cjk-friendly.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

from markdown_it.common.utils import isPunctChar
from markdown_it.rules_inline import StateInline

Rule = Callable[[StateInline, bool], bool]

FIRST_WIDE = "\u1100"


def beside_wide(rule: Rule) -> Rule:
    """Returns an inline rule for signs of emphasis, such as `*`, that also works beside wide characters.

    `_` stays as it is: within words it is no emphasis in any language.
    """

    def changed(state: StateInline, silent: bool) -> bool:  # noqa: FBT001  # the signature of a rule
        start, known = state.pos, len(state.delimiters)
        if not rule(state, silent):
            return False
        before = state.src[start - 1] if start else " "
        after = state.src[state.pos] if state.pos < state.posMax else " "
        if state.src[start] != "_" and (_is_wide(before) or _is_wide(after)):
            for sign in state.delimiters[known:]:
                sign.open, sign.close = _may_bound(after, before), _may_bound(before, after)
        return True

    return changed


def _may_bound(inside: str, outside: str) -> bool:
    """True if emphasis may begin or end between these two characters."""
    if inside.isspace():
        return False
    is_letter = _is_wide(inside) or not isPunctChar(inside)
    return is_letter or outside.isspace() or _is_wide(outside) or isPunctChar(outside)


def _is_wide(character: str) -> bool:
    return character >= FIRST_WIDE and unicodedata.east_asian_width(character) in "FHW"
